"""A take played again: the same sound and changes through the same Player, painted, with the output controls on it.

For every frame of the film the newest frame of the performance at or before its time is shown, so at the rate of the
performance its frames come one by one, and at any other rate time stays what it was.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Container, Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, groupby
from pathlib import Path

import numpy as np

from ..engine.audio.audio_file import Sound
from ..engine.audio.decode import SoundFormat
from ..engine.control.addresses import OUT_FREEZE
from ..engine.errors import InputError, SonoramaError, WorldError
from ..engine.files.fingerprint import sha256
from ..engine.inference.backend import open_backend
from ..engine.inference.precision import can_paint, open_in
from ..engine.model.base_code import read_code, remember_code
from ..engine.model.world_file import find_world, list_worlds, load_world, read_card
from ..engine.pipeline.frame_pipeline import LOADS, FramePipeline, FrameResult, mono
from ..engine.pipeline.loaded_world import LoadedWorld
from ..engine.pipeline.offline import OfflineRender
from ..engine.pipeline.snapshot import read_state
from ..engine.take import audio_file as takesound
from ..engine.take.reader import Take
from ..engine.units import EXACT, SAMPLE_RATE
from .output_controls import AsItLeft, Bare, Finished, ReplayOutput

log = logging.getLogger(__name__)
GUARD_S = 2.0
"""So much before the film begins the output controls are at work already: the flash guard remembers a second."""
_DEVICES = {"openvino-cpu": "cpu", "onnxruntime-cpu": "ort", "torch-cuda": "cuda", "torch-cpu": "reference"}


def note_gaps(take: Take) -> None:
    """Say what keeps a replay from being the whole performance."""
    if not take.whole:
        log.warning("%s was not closed: it is played as far as its sound goes", take.folder)
    if take.lost:
        seconds = sum(last - first for first, last in take.lost) / SAMPLE_RATE
        log.warning("%s misses %.1f s of its sound: from there on it is not what was played", take.folder, seconds)
    if take.dropped:
        log.warning("%s misses %d events: from there on it is not what was played", take.folder, take.dropped)


class TakeSound(Sound):
    """The sound of a take as far as its frames go; its samples are read as they lie, whatever its head says."""

    def __init__(self, take: Take) -> None:
        form = SoundFormat(SAMPLE_RATE, 2, ("FL", "FR"), "stereo", "pcm_f32le")
        super().__init__(take.audio, form, take.length, had_nonfinite=False)

    def _blocks(self, first: int, left: float) -> Generator[np.ndarray]:
        for block in takesound.read(self.path, first, first + int(left)):
            yield np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)


class Worlds:
    """Opens what a take asks for, and sees to it that it is the same world. Kept, so that none is opened twice. The
    codes of the take are known from then on.

    Args:
        take: whose worlds.
        world: where the world is that the take begins with; None: where it was.
        device: plays everything in place of what the take says; None: as it says, where this machine can.

    """

    def __init__(self, take: Take, world: str | None = None, device: str | None = None) -> None:
        self._take, self._world, self._device = take, world, device
        for file in take.codes:
            remember_code(read_code(file))
        self._began = tuple(str(take.start.values[path]) for path in LOADS)
        self._open: dict[tuple[Path, str], LoadedWorld] = {}
        self._fast: dict[tuple[int, str], LoadedWorld] = {}

    def __call__(self, world: str, device: str) -> LoadedWorld:
        """The values of /engine/world and /engine/device -> ready to play.

        Raises:
            WorldError: not here, damaged, or another one than was played.
            SonoramaError: the device that was given is not here.

        """
        key = self._find(world), self._device_for(device)
        if key not in self._open:
            self._open[key] = self._opened(*key)
        return self._open[key]

    def painting_in(self, opened: LoadedWorld, precision: str) -> LoadedWorld:
        """One of the worlds, painted in another precision than exactly.

        Raises:
            SonoramaError: this machine does not have it.

        """
        self.check(opened, precision)
        key = id(opened), precision  # those that are open stay
        if key not in self._fast:
            self._fast[key] = LoadedWorld(opened.world, open_in(opened.backend, precision))
        return self._fast[key]

    def check(self, opened: LoadedWorld, precision: str) -> None:
        """Refuse a precision that this machine does not have; see `painting_in`."""
        if not can_paint(opened.backend, precision):
            message = f"{self._take.folder} was played in {precision}, in which {opened.backend.name} cannot paint here"
            raise SonoramaError(message, "Leave --as-played out: the film is exact then. Or give another --device.")

    def _find(self, world: str) -> Path:
        begins = world == self._began[0]
        content = self._take.start.sha256 if begins else self._take.worlds.get(world)
        given = self._world if begins else None
        try:
            path = find_world(given or world)
        except WorldError:
            path = None
        if path is not None and content in (None, read_card(path).content):
            return path
        same = [] if given else [card.path for card in list_worlds() if card.content == content]
        if same:
            return Path(same[0])
        why = "is not here" if path is None else "is another world than the one that was played"
        needed = f"{self._take.start.world} {self._take.start.version}" if begins else world
        hint = f"Give the file of {needed} with --world (content {content})." if begins else "Install it."
        raise WorldError(f"{self._take.folder} cannot be played: {given or world} {why}", hint)

    def _device_for(self, device: str) -> str:
        if self._device is not None:
            return self._device
        if device != self._began[1]:
            return device
        ran_on = self._take.device
        return _DEVICES.get(ran_on, ran_on)

    def _opened(self, path: Path, device: str) -> LoadedWorld:
        loaded = load_world(path)
        try:
            return LoadedWorld(loaded, open_backend(loaded, device))
        except SonoramaError as error:
            if self._device is not None:
                raise
            log.warning("Played on %s, which is not to be had here (%s): auto plays instead", device, error.message)
            return LoadedWorld(loaded, open_backend(loaded, "auto"))


class Replay:
    """The performance from its beginning, frame by frame; after its end there is silence."""

    def __init__(self, take: Take, worlds: Worlds) -> None:
        self._take, self._worlds = take, worlds
        self._player = self._beginning()
        self._fresh = deque(one for one in take.fresh if one.frame >= self._player.frame)
        self._begin_anew()

    def _beginning(self) -> FramePipeline:
        start = self._take.start
        if start.state is None:
            player = FramePipeline(self._worlds, start.values, start.fps, self._take.held)
            if start.frame or start.sample:
                player.jump(start.frame, start.sample)
            return player
        arrays, state = read_state(start.state)
        refused = InputError(f"{start.state} is no state of this take", "Put back the file that was recorded.")
        try:
            loaded = dict(zip(LOADS, state["loaded"], strict=True))
            player = FramePipeline(self._worlds, {**start.values, **loaded}, start.fps, self._take.held)
            player.restore(arrays, state)
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            raise refused from error
        if (player.frame, player.sample) != (start.frame, start.sample):
            raise refused
        return player

    @property
    def next_sample(self) -> int:
        """Samples of the ring that come before the next frame."""
        return self._player.next_sample

    def step(self) -> FrameResult:
        """The next frame."""
        player = self._player
        sound = self._sound_between(player.sample, player.next_sample)
        step = player.step(sound, self._take.changes.get(player.frame, ()))
        self._begin_anew()
        return step

    def _begin_anew(self) -> None:
        """Where a renderer began at rest, so does this."""
        while (fresh := self._fresh) and (
            self._player.next_sample >= fresh[0].sample or self._player.frame >= fresh[0].frame
        ):
            one = self._fresh.popleft()
            self._player = FramePipeline(self._worlds, one.values, held=self._take.held)
            self._player.jump(one.frame, one.sample)

    def _sound_between(self, first: int, last: int) -> np.ndarray:
        """Samples first..last of the ring as the renderer had them: mono [n]."""
        began, none = self._take.start.sample, np.zeros((2, 0), np.float32)
        blocks = takesound.read(self._take.audio, first - began, last - began)
        sound = mono(np.concatenate([none, *blocks], axis=1))
        for start, stop in self._take.deaf:
            sound[max(0, start - first) : max(0, stop - first)] = 0.0
        return sound


@dataclass(frozen=True)
class _Shot:
    """One frame of the film: its index, below 0 before it begins, what it shows, and whether that is painted anew."""

    index: int
    step: FrameResult
    paint: bool


class TakeFrameSource:
    """A take ready to be painted.

    Args:
        take: what to play.
        worlds: opens its worlds.
        fps: frames a second of the film, exact.
        start: seconds of the take before the film begins.
        clean: without the output controls.
        as_played: in the precisions in which it was played; else exactly.
        as_it_left: at the size of the take and in 8 bits, by the show's own way, so that they are to the bit what
            left. Not for `clean`; where the world itself has that size its pictures are that, and keep their depth.

    Attributes:
        size: of the frames: the take's where they are as they left, else the world's.
        world, version, licence, sha256, device, inset: of the world that it begins with, as in Played.

    """

    def __init__(
        self,
        take: Take,
        worlds: Worlds,
        fps: Fraction,
        start: float = 0.0,
        clean: bool = False,
        *,
        as_played: bool = False,
        as_it_left: bool = False,
    ) -> None:
        self._take, self._worlds, self._clean = take, worlds, clean
        self._fps, self._first = fps, round(start * SAMPLE_RATE)
        instrument = worlds(*(str(take.start.values[path]) for path in LOADS))
        card, self._as_played = instrument.world.card, as_played
        for _, precision in take.precisions if as_played else ():
            worlds.check(instrument, precision)
        self._as_it_left = as_it_left and not clean and take.start.size != instrument.size
        self.size = take.start.size if self._as_it_left else instrument.size
        self.world, self.version, self.licence = card.name, card.version, card.licence
        self.sha256 = sha256(Path(card.path))
        self.device = instrument.backend.name
        self.inset = 0 if self._as_it_left else card.inset

    def frames(self, n_frames: int, have: Container[int] = ()) -> Iterator[np.ndarray | None]:
        """Paint float32 [height,width,3] in 0..1, or uint8 as they left: exactly `n_frames`, None for those in `have`.

        With output controls those are painted all the same: what the controls make of a picture hangs on the
        pictures before it.
        """
        before = 0 if self._clean else min(math.ceil(GUARD_S * self._fps), int(self._first * self._fps / SAMPLE_RATE))
        output = self._output()
        for shot, picture in _painted(self._shots(before, n_frames, have if self._clean else ())):
            frame = output(shot.step, picture, shot.index)
            if shot.index >= 0:
                yield None if shot.index in have else frame

    def _in_its_precision(self, step: FrameResult) -> FrameResult:
        precision = self._take.precision_at(step.frame) if self._as_played else EXACT
        if precision == EXACT:
            return step
        return replace(step, instrument=self._worlds.painting_in(step.instrument, precision))

    def _output(self) -> ReplayOutput:
        if self._clean:
            return Bare(self.size)
        return (AsItLeft if self._as_it_left else Finished)(self.size, self._fps)

    def _shots(self, before: int, n_frames: int, unwanted: Container[int]) -> Iterator[_Shot]:
        """The frames of the film, `before` of them ahead of it, and ahead of those the picture that stands frozen."""
        play, began = Replay(self._take, self._worlds), self._take.start.sample + self._first
        step = free = painted = None
        for index in range(-before, n_frames):
            while step is None or play.next_sample <= began + math.floor(index * SAMPLE_RATE / self._fps):
                free = step if step and not step.values[OUT_FREEZE] else free
                step = self._in_its_precision(play.step())
            if index == -before and free and step.values[OUT_FREEZE] and not self._clean:
                yield _Shot(index - 1, free, paint=True)
            paint = step is not painted and index not in unwanted
            painted = step if paint else painted
            yield _Shot(index, step, paint)


def _painted(shots: Iterable[_Shot]) -> Iterator[tuple[_Shot, np.ndarray | None]]:
    """Each with its picture, or None where it was not to be painted. One world after the other."""
    for _, group in groupby(shots, lambda shot: id(shot.step.instrument)):
        first, waiting = next(group), deque[_Shot]()
        world, backend = first.step.instrument.world, first.step.instrument.backend
        painter = OfflineRender(world, first.step.values, Fraction(1), backend)  # neither has a part in painting
        for picture in painter.paint(_codes(chain([first], group), waiting)):
            yield waiting.popleft(), picture


def _codes(shots: Iterable[_Shot], waiting: deque[_Shot]) -> Iterator[np.ndarray | None]:
    for shot in shots:
        waiting.append(shot)
        yield shot.step.w if shot.paint else None
