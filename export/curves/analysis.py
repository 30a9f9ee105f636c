"""What is heard in exactly the frames of a film."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from ...engine.audio.audio_file import Sound
from ...engine.model.world_file import load_world
from ...engine.pipeline.sound_curves import SoundCurves, sound_curves
from ...engine.units import DEFAULT_WORLD, SAMPLE_RATE, Array
from ..render import Progress, RenderJob, count_frames

PRE_ROLL_S = 60.0
"""Seconds of the sound before a part from which its levels and beats are known; more change nothing to be seen."""


def film_curves(
    job: RenderJob, sound: Sound, labels: Sequence[str] = (), progress: Progress | None = None
) -> SoundCurves:
    """Analyse the sound of a film that `render` makes of this job.

    Args:
        job: its world, rate, start, duration and loop count.
        sound: of the job, open.
        labels: texts to be heard beside the classes of the world.
        progress: called with (frames analysed, frames in all).

    Raises:
        SonoramaError: the part lies outside the sound; the world cannot be used, or knows no texts.

    """
    n_frames = count_frames(sound, job)
    world = load_world(job.world or DEFAULT_WORLD)
    lead = min(job.start, PRE_ROLL_S)
    before, done = 0, 0
    blocks = sound.mono(start=job.start, duration=job.duration, loop=job.loop)
    if round(lead * sound.rate) > 0:
        ahead = list(sound.mono(start=job.start - lead, duration=lead))
        before = sum(map(len, ahead))
        blocks = chain(ahead, blocks)

    def told() -> Iterator[Array]:
        nonlocal done
        for block in blocks:
            done += len(block)
            if progress is not None:
                progress(min(n_frames, int(max(0, done - before) * job.rate / SAMPLE_RATE)), n_frames)
            yield block

    return sound_curves(world, told(), job.rate, n_frames, before, labels)
