"""A take against what was seen while it was played."""

import functools
from collections import deque
from collections.abc import Mapping

import numpy as np

from sonorama.engine.control.addresses import ENGINE_WORLD
from sonorama.engine.inference.precision import leaves_early, open_in
from sonorama.engine.picture.to_rgba8 import rgba8
from sonorama.engine.pipeline.frame_pipeline import FramePipeline, mono
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.plugins.interfaces import Backend
from sonorama.engine.take import audio_file as takesound
from sonorama.engine.take.reader import Take
from sonorama.engine.units import EXACT

from .stage import COUNTER, Seen, digest


def heard(take: Take) -> np.ndarray:
    """The take's sound, stereo [2,n]."""
    return np.concatenate(list(takesound.read(take.audio, 0, takesound.count(take.audio))), axis=1)


def replayed(
    take: Take, instruments: Mapping[str, LoadedWorld], fast: Mapping[str, LoadedWorld] | None = None
) -> dict[int, bytes]:
    """Frame -> its picture to the bit, when the take is played again; instruments: by value of /engine/world, and those
    in `fast`, too, for frames that were not painted exactly.
    """

    def open_world(world: str, _device: str) -> LoadedWorld:
        return instruments[world]

    @functools.cache
    def painting(world: str, precision: str) -> Backend:
        """A renderer on a machine too busy for the rate leaves blocks out, in whatever show."""
        if fast and not leaves_early(precision):
            return fast[world].backend
        return open_in(instruments[world].backend, precision)

    player, fresh = FramePipeline(open_world, take.start.values, take.fps, take.held), deque(take.fresh)
    sound, pictures = mono(heard(take)), dict[int, bytes]()
    for first, last in take.deaf:  # on a machine so busy that the renderer falls a minute behind
        sound[first:last] = 0.0
    while player.frame <= take.end_frame:
        if fresh and player.next_sample >= fresh[0].sample:
            one = fresh.popleft()
            player = FramePipeline(open_world, one.values, held=take.held)
            player.jump(one.frame, one.sample)
        piece = sound[player.sample : player.next_sample]
        step = player.step(piece, take.changes.get(player.frame, ()))
        backend = step.instrument.backend
        if (precision := take.precision_at(step.frame)) != EXACT:
            backend = painting(str(step.values[ENGINE_WORLD]), precision)
        pictures[step.frame] = digest(rgba8(backend.synthesize(step.w)))
    return pictures


def check_pictures(
    seen: list[Seen],
    take: Take,
    instruments: Mapping[str, LoadedWorld],
    fast: Mapping[str, LoadedWorld] | None = None,
) -> None:
    """Every new picture that was seen is, to the bit, what the replay gives for its frame; see `replayed`."""
    again = replayed(take, instruments, fast)
    new = {one.frame: one.digest for one in seen if not one.repeated and one.frame <= take.end_frame}
    assert len(new) > 60
    assert len(set(new.values())) > 60, "the pictures do not move"
    wrong = [frame for frame, picture in new.items() if again[frame] != picture]
    assert not wrong, f"{len(wrong)} of {len(new)} pictures are not those of the take, from frame {wrong[0]} on"


STALL_S = 0.05
"""A machine that lets a sleeping thread wait so long past its time may also starve a source of sound."""


def check_sound(take: Take, overslept: float) -> None:
    """The counter on the left side goes on sample by sample; but for the corrections of the clock where this machine
    stalled, by `overslept` seconds at the most (Watcher.overslept).
    """
    counted = np.rint(heard(take)[0].astype(np.float64) * COUNTER).astype(np.int64)
    first = int(np.flatnonzero(counted)[0])
    steps = np.flatnonzero(np.diff(counted[first:]) != 1)
    allowed = len(counted) // 10 if overslept > STALL_S else 0
    assert len(steps) <= allowed, (
        f"{len(steps)} gaps in the sound, the first {steps[0] / 44_100:.2f} s after its beginning"
    )
    assert len(counted) - first > 44_100
