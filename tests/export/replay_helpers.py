"""Shows in small that keep a take, what they painted, and their replays.

Test modules import the fixtures as themselves.
"""

import math
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio.sample_ring import SampleRing, SampleRingWriter
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.picture.output_controls import OutputControls, lifted
from sonorama.engine.picture.to_rgba8 import rgba8
from sonorama.engine.pipeline.frame_pipeline import LOADS, FramePipeline, FrameResult, mono
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.snapshot import read_state, save_state
from sonorama.engine.take.reader import read_take
from sonorama.engine.take.writer import TakeStart, TakeWriter
from sonorama.engine.units import SAMPLE_RATE
from sonorama.export.replay import Replay, TakeFrameSource, Worlds

FRAMES = 150
_DICE = np.random.default_rng(5)
SOUND = (_DICE.standard_normal((2, 8 * SAMPLE_RATE)) * 0.2 * (np.arange(8 * SAMPLE_RATE) // 9000 % 3 == 0)).astype(
    np.float32
)
START: dict[str, Value] = {"/look/drift": 0.3, "/sound/auto_gain": True, "/moves/3/source": "lfo"}
Changes = Mapping[int, Sequence[Change]]


def by(path: str, value: Value, over: float = 0.0) -> Change:
    return Change(path, value, "test", over)


MANY: Changes = {
    3: [by("/motion/coarse/amount", 0.2), by("/moves/3/target", "/look/truncation")],
    9: [by("/look/seed", 7)],
    14: [by("/sound/tap", True), by("/look/seed_b", 9), by("/look/fine/mix", 0.5)],
    20: [by("/sound/tap", True), by("/sound/tempo", "tapped")],
    33: [by("/look/truncation", 0.3, 0.6), by("/motion/fine/kappa", 1.3, 0.6), by("/look/seed", 11)],
    41: [by("/sound/tap", True), by("/sound/tap", True), by("/sound/tap", True)],
    52: [by("/look/prompt", 40), by("/sound/gain", 12.0), by("/moves/1/source", "steps")],
    70: [by("/look/mid/mix", 0.9), by("/motion/mode", "literal"), by("/sound/resync", True)],
    101: [by("/motion/mode", "anchored"), by("/scene/morph", 2.0), by("/look/seed", 3)],
}
FASTER: Changes = {**MANY, 60: [by("/engine/fps", 48.0)], 120: [by("/engine/fps", 25.0)]}


@dataclass
class Live:
    """A show in small: the sample ring, a renderer that may die, and the take."""

    folder: Path
    world: str
    device: str = "ort"
    changes: Changes = field(default_factory=dict)
    frames: int = FRAMES
    values: Mapping[str, Value] = field(default_factory=dict)
    dies_at: int = 0
    deaf: range = range(0)
    fresh_at: int = 0
    from_frame: int = 0
    size: tuple[int, int] = (64, 64)
    steps: list[FrameResult] = field(default_factory=list)
    pictures: dict[int, np.ndarray] = field(default_factory=dict)

    def begin(self) -> "Live":
        self.values = {**{p: q.default for p, q in SHOW.items()}, **START, "/engine/world": self.world, **self.values}
        self._opened: dict[tuple[str, str], LoadedWorld] = {}
        self.player = FramePipeline(self.open, self.values)
        self.name = f"replay-{os.getpid()}-{random.randrange(1 << 30)}"
        return self

    def open(self, world: str, device: str) -> LoadedWorld:
        key = world, device if device != "auto" else self.device
        if key not in self._opened:
            loaded = load_world(key[0])
            self._opened[key] = LoadedWorld(loaded, open_backend(loaded, key[1]))
        return self._opened[key]

    def start(self) -> TakeStart:
        player, card = self.player, self.player.instrument.world.card
        said = card.name, card.content, card.version, player.instrument.backend.name
        return TakeStart(*said, player.grid.fps, self.size, self.values, player.frame, player.sample)

    def play(self) -> "Live":
        with SampleRingWriter(self.name, seconds=20.0) as writer, SampleRing(self.name) as ring:
            self._writer, self._ring, self._dice = writer, ring, random.Random(2)
            while self.player.frame < self.from_frame:
                self._step()
            self._take = self._record()
            while self.player.frame < self.frames:
                if self.player.frame == self.dies_at - 10:
                    save_state(self.folder.with_suffix(".state"), self.player)
                if self.dies_at and self.player.frame == self.dies_at:
                    self._die()
                if self.fresh_at and self.player.frame == self.fresh_at:
                    self._begin_afresh()
                self.steps.append(step := self._step())
                self._take.changes(step.frame, step.sample, self.changes.get(step.frame, ()))
            self._hear_until(self.player.next_sample)
            assert self._take.close(self.steps[-1].frame, self.steps[-1].sample, wait_s=60)
            assert self._take.faults() == []
        return self

    def _record(self) -> TakeWriter:
        start = self.start()
        if self.from_frame:
            save_state(state := self.folder.with_suffix(".begin"), self.player)
            start = replace(start, state=state)
        return TakeWriter(self.folder, start, self.name)

    def _hear_until(self, sample: int) -> None:
        """Sound arrives in blocks of any size."""
        while (count := self._writer.count) < sample:
            self._writer.write(SOUND[:, count : count + self._dice.randint(1, 3000)])

    def _step(self) -> FrameResult:
        player = self.player
        self._hear_until(player.next_sample)
        sound = mono(self._ring.read(player.sample, player.next_sample))
        if player.frame in self.deaf:
            sound = np.zeros_like(sound)
            self._take.deaf(player.frame, player.next_sample, player.sample, player.next_sample)
        return player.step(sound, self.changes.get(player.frame, ()))

    def _die(self) -> None:
        """Another renderer goes on from the last state, the sound and the changes since."""
        frame, at = self.player.frame, self.player.sample
        self.player = FramePipeline(self.open, dict(zip(LOADS, self.player.loaded, strict=True)))
        self.player.restore(*read_state(self.folder.with_suffix(".state")))
        while self.player.frame < frame:
            self._step()
        self._take.restart(frame, at, 1)

    def _begin_afresh(self) -> None:
        frame, sample = self.player.frame + 7, self.player.grid.sample(self.player.frame + 7)
        values = dict(self.player.params.targets)
        self.player = FramePipeline(self.open, values)
        self.player.jump(frame, sample)
        self._take.fresh(frame, sample, values)

    @cached_property
    def worlds(self) -> Worlds:
        """What its films are painted with: opened once, and apart from what the show plays."""
        return Worlds(read_take(self.folder))

    def painted(self, step: FrameResult) -> np.ndarray:
        if step.frame not in self.pictures:
            self.pictures[step.frame] = picture = step.instrument.backend.synthesize(step.w)
            picture.flags.writeable = False
        return self.pictures[step.frame]

    def shown(self, n: int, fps: Fraction, start: float = 0.0) -> list[FrameResult]:
        """What a film of `n` frames shows: the newest step at or before each of its frames."""
        times = [round(start * SAMPLE_RATE) + math.floor(index * SAMPLE_RATE / fps) for index in range(n)]
        return [[step for step in self.steps if step.sample <= time][-1] for time in times]


def film(live: Live, n: int, fps: Fraction | None = None, start: float = 0.0, clean: bool = True) -> np.ndarray:
    """The frames of a film, [n,H,W,3]."""
    take = read_take(live.folder)
    stage = TakeFrameSource(take, live.worlds, fps or take.fps, start, clean)
    return np.stack([frame for frame in stage.frames(n) if frame is not None])


def replayed(live: Live, n: int = 0, worlds: Worlds | None = None) -> list[FrameResult]:
    take = read_take(live.folder)
    replay = Replay(take, worlds or Worlds(take))
    return [replay.step() for _ in range(n or len(live.steps))]


def same(steps: Sequence[FrameResult], others: Sequence[FrameResult]) -> None:
    assert [(step.frame, step.sample) for step in steps] == [(step.frame, step.sample) for step in others]
    np.testing.assert_array_equal([step.w for step in steps], [step.w for step in others])
    assert [step.values for step in steps] == [step.values for step in others]
    assert [step.features for step in steps] == [step.features for step in others]


def finished(live: Live) -> list[np.ndarray]:
    """What left: float where no output control acts, else 8 bits."""
    finish, out = OutputControls(64, 64), []
    for index, step in enumerate(live.steps):
        picture = live.painted(step)
        left = finish.apply(before := rgba8(picture), lifted(step.values, step.lift), index / 30, 1 / 30)
        out.append(picture if np.array_equal(left, before) else left[..., :3].astype(np.float32) / np.float32(255))
    return out


@pytest.fixture(scope="module")
def shows(tmp_path_factory: pytest.TempPathFactory, tiny_world: str) -> Iterator[dict[str, Live]]:
    """A show with everything that may happen, and one of steady rate with output controls."""
    folder = tmp_path_factory.mktemp("takes")
    busy = Live(folder / "busy.take", tiny_world, "cpu", changes=FASTER, dies_at=88, deaf=range(37, 42))
    out = {
        10: [by("/out/master", 0.5)],
        20: [by("/out/freeze", True)],
        24: [by("/out/master", 1.0)],
        45: [by("/out/freeze", False)],
        50: [by("/out/blackout", True)],
        55: [by("/out/blackout", False), by("/out/flip", "both")],
        60: [by("/out/flip", "none")],
    }
    steady = Live(folder / "steady.take", tiny_world, changes=out, frames=90)
    yield {"busy": busy.begin().play(), "steady": steady.begin().play()}


@pytest.fixture
def busy(shows: dict[str, Live]) -> Live:
    return shows["busy"]


@pytest.fixture
def steady(shows: dict[str, Live]) -> Live:
    return shows["steady"]
