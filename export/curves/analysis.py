"""What is heard in exactly the frames of a film."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...engine.audio.audio_file import Sound
from ...engine.model.world_file import load_world
from ...engine.pipeline.sound_curves import SoundCurves, sound_curves
from ...engine.units import DEFAULT_WORLD, SAMPLE_RATE, Array
from ..film_part import film_part, frame_start
from ..render import Progress, RenderJob, count_frames

AROUND_S = 2.0
"""Seconds of sound after a frame that its scores are about."""


def film_curves(
    job: RenderJob, sound: Sound, labels: Sequence[str] = (), progress: Progress | None = None
) -> SoundCurves:
    """Analyse the sound of a film that `render` makes of this job.

    Args:
        job: its world, rate, start, duration, loop and pre_roll count.
        sound: of the job, open.
        labels: texts to be heard beside the classes of the world.
        progress: called with (frames analysed, frames in all).

    Raises:
        SonoramaError: the part lies outside the sound; the world cannot be used, or knows no texts.

    """
    if job.pre_roll != 0:
        job = replace(job, start=frame_start(sound, job.start, job.rate))
    n_frames = count_frames(sound, job)
    world = load_world(job.world or DEFAULT_WORLD)
    part = film_part(sound, job.rate, job.start, job.duration, job.loop, job.pre_roll)

    def told() -> Iterator[Array]:
        done = 0
        for block in part.mono(AROUND_S):
            done += len(block)
            if progress is not None:
                progress(min(n_frames, max(0, int(done * job.rate / SAMPLE_RATE) - part.before)), n_frames)
            yield block

    return sound_curves(world, told(), job.rate, n_frames, part.before, labels)
