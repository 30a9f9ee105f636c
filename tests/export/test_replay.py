"""A take replayed is the performance: latents and pictures bit for bit, output controls as they were."""

import json
import math
import os
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.backend import graph_folder, open_backend, ready_graphs
from sonorama.engine.errors import InputError, OutputError, SonoramaError, ValueRefused, WorldError
from sonorama.engine.finish import Finish
from sonorama.engine.instrument import Instrument
from sonorama.engine.model.weights import load_world, save_world
from sonorama.engine.params import Change, Value
from sonorama.engine.pixels import rgba8
from sonorama.engine.player import LOADS, Player, Step, mono
from sonorama.engine.playerstate import read_state, save_state
from sonorama.engine.samples import RATE, SampleRing, SampleRingWriter
from sonorama.engine.scale import scaler
from sonorama.engine.showtable import SHOW
from sonorama.engine.take import TakeStart, TakeWriter
from sonorama.engine.taken import read_take
from sonorama.export.replay import Replay, TakeStage, Worlds
from sonorama.export.video import RenderJob, render

from .helpers import pixels, probe, samples

FRAMES = 150
_DICE = np.random.default_rng(5)
SOUND = (_DICE.standard_normal((2, 8 * RATE)) * 0.2 * (np.arange(8 * RATE) // 9000 % 3 == 0)).astype(np.float32)
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
    device: str = "cpu"
    changes: Changes = field(default_factory=dict)
    frames: int = FRAMES
    values: Mapping[str, Value] = field(default_factory=dict)
    dies_at: int = 0
    deaf: range = range(0)
    fresh_at: int = 0
    from_frame: int = 0
    steps: list[Step] = field(default_factory=list)

    def begin(self) -> "Live":
        self.values = {**{p: q.default for p, q in SHOW.items()}, **START, "/engine/world": self.world, **self.values}
        self._opened: dict[tuple[str, str], Instrument] = {}
        self.player = Player(self.open, self.values)
        self.name = f"replay-{os.getpid()}-{random.randrange(1 << 30)}"
        return self

    def open(self, world: str, device: str) -> Instrument:
        key = world, device if device != "auto" else self.device
        if key not in self._opened:
            loaded = load_world(key[0])
            self._opened[key] = Instrument(loaded, open_backend(loaded, key[1]))
        return self._opened[key]

    def start(self) -> TakeStart:
        player, card = self.player, self.player.instrument.world.card
        said = card.name, card.content, card.version, player.instrument.backend.name
        return TakeStart(*said, player.grid.fps, (64, 64), self.values, player.frame, player.sample)

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

    def _step(self) -> Step:
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
        self.player = Player(self.open, dict(zip(LOADS, self.player.loaded, strict=True)))
        self.player.restore(*read_state(self.folder.with_suffix(".state")))
        while self.player.frame < frame:
            self._step()
        self._take.restart(frame, at, 1)

    def _begin_afresh(self) -> None:
        frame, sample = self.player.frame + 7, self.player.grid.sample(self.player.frame + 7)
        values = dict(self.player.params.targets)
        self.player = Player(self.open, values)
        self.player.jump(frame, sample)
        self._take.fresh(frame, sample, values)

    def painted(self, step: Step) -> np.ndarray:
        return step.instrument.backend.paint(step.w)

    def shown(self, n: int, fps: Fraction, start: float = 0.0) -> list[Step]:
        """What a film of `n` frames shows: the newest step at or before each of its frames."""
        times = [round(start * RATE) + math.floor(index * RATE / fps) for index in range(n)]
        return [[step for step in self.steps if step.sample <= time][-1] for time in times]


def film(live: Live, n: int, fps: Fraction | None = None, start: float = 0.0, clean: bool = True) -> np.ndarray:
    """The frames of a film, [n,H,W,3]."""
    take = read_take(live.folder)
    stage = TakeStage(take, Worlds(take), fps or take.fps, start, clean)
    return np.stack([frame for frame in stage.frames(n) if frame is not None])


def replayed(live: Live, n: int = 0) -> list[Step]:
    take = read_take(live.folder)
    replay = Replay(take, Worlds(take))
    return [replay.step() for _ in range(n or len(live.steps))]


def same(steps: Sequence[Step], others: Sequence[Step]) -> None:
    assert [(step.frame, step.sample) for step in steps] == [(step.frame, step.sample) for step in others]
    np.testing.assert_array_equal([step.w for step in steps], [step.w for step in others])
    assert [step.values for step in steps] == [step.values for step in others]
    assert [step.features for step in steps] == [step.features for step in others]


@pytest.fixture(scope="module")
def shows(tmp_path_factory: pytest.TempPathFactory, tiny_world: str) -> Iterator[dict[str, Live]]:
    """A show with everything that may happen, and one of steady rate with output controls."""
    folder = tmp_path_factory.mktemp("takes")
    busy = Live(folder / "busy.take", tiny_world, changes=FASTER, dies_at=88, deaf=range(37, 42))
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


# --- latents


def test_latents_are_the_same_bit_for_bit(busy: Live) -> None:
    same(replayed(busy), busy.steps)
    take = read_take(busy.folder)
    assert take.restarts == [(88, 1)]
    assert take.deaf[0][0] == busy.steps[36].sample
    assert (take.whole, take.lost, take.end_frame) == (True, [], FRAMES - 1)
    assert np.abs(np.diff([step.w for step in busy.steps], axis=0)).max() > 0.1


def test_deafness_and_changes_matter(busy: Live, tmp_path: Path) -> None:
    """Without what the take says of them the replay would be another."""
    take = read_take(busy.folder)
    for other in (replace(take, deaf=[]), replace(take, changes={k: v for k, v in take.changes.items() if k != 33})):
        replay = Replay(other, Worlds(other))
        assert any(not np.array_equal(replay.step().w, step.w) for step in busy.steps)


def test_a_take_of_a_show_that_runs_already(tiny_world: str, tmp_path: Path) -> None:
    live = Live(tmp_path / "x", tiny_world, changes=MANY, frames=80, from_frame=37).begin().play()
    assert live.steps[0].frame == 37
    same(replayed(live), live.steps)


def test_a_renderer_that_began_afresh(tiny_world: str, tmp_path: Path) -> None:
    """Between the death and the new beginning the replay goes on as if nothing had happened; then it begins too."""
    live = Live(tmp_path / "x", tiny_world, changes=MANY, frames=100, fresh_at=50).begin().play()
    frames = [step.frame for step in live.steps]
    assert frames == [*range(50), *range(57, 100)]
    steps = replayed(live, 100)
    same(steps[:50] + steps[57:], live.steps)


def test_worlds_and_devices_that_change(tiny_world: str, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    world = load_world(tiny_world)
    w_avg = world.tensors["generator.mapping.w_avg"] + np.float32(0.1)
    content = save_world(other, world.card, world.tensors | {"generator.mapping.w_avg": w_avg}).content
    shutil.copytree(ready_graphs(world), graph_folder(load_world(other)))  # its networks are the same
    changes = {
        5: [by("/engine/device", "ort")],
        9: [by("/engine/device", "auto")],
        13: [by("/engine/world", str(other))],
        19: [by("/engine/world", tiny_world)],
    }
    live = Live(tmp_path / "x", tiny_world, changes=changes, frames=24).begin().play()
    assert len({id(step.instrument) for step in live.steps}) == 3
    same(replayed(live), live.steps)
    frames = film(live, 24)
    for step, frame in zip(live.steps, frames, strict=True):
        np.testing.assert_array_equal(frame, live.painted(step))
    with (live.folder / "events.jsonl").open("a") as file:
        file.write(json.dumps({"frame": 13, "sample": 0, "opened": [str(other), content]}) + "\n")
    same(replayed(live), live.steps)
    shutil.copy(tiny_world, other)
    with pytest.raises(WorldError, match="another world"):
        replayed(live)


# --- pictures


def test_pictures_at_its_own_rate_are_its_frames(steady: Live) -> None:
    frames = film(steady, 90)
    for step, frame in zip(steady.steps, frames, strict=True):
        live = steady.painted(step)
        np.testing.assert_array_equal(frame, live)
        np.testing.assert_array_equal(rgba8(frame), rgba8(live))
    assert any(not np.array_equal(a, b) for a, b in pairwise(frames))


@pytest.mark.parametrize(
    ("fps", "start"),
    [(Fraction(30), 0.0), (Fraction(30), 1.7), (Fraction(60000, 1001), 2.0), (Fraction(12), 0.3), (Fraction(25), 0.0)],
)
def test_other_rates_show_the_newest_frame_at_each_time(busy: Live, fps: Fraction, start: float) -> None:
    """The show went from 30 to 48 and 25 frames a second."""
    n = int((read_take(busy.folder).length - round(start * RATE)) * fps / RATE)
    frames = film(busy, n, fps, start)
    for step, frame in zip(busy.shown(n, fps, start), frames, strict=True):
        np.testing.assert_array_equal(frame, busy.painted(step))


def finished(live: Live) -> list[np.ndarray]:
    """What left: float where no output control acts, else 8 bits."""
    finish, out = Finish(64, 64), []
    for index, step in enumerate(live.steps):
        picture = live.painted(step)
        left = finish.apply(before := rgba8(picture), step.values, index / 30, 1 / 30)
        out.append(picture if np.array_equal(left, before) else left[..., :3].astype(np.float32) / np.float32(255))
    return out


def test_output_controls_act_as_they_did(steady: Live) -> None:
    expected, frames = finished(steady), film(steady, 90, clean=False)
    np.testing.assert_array_equal(frames, expected)
    untouched = [np.array_equal(frame, steady.painted(s)) for frame, s in zip(frames, steady.steps, strict=True)]
    assert untouched[0]
    assert untouched[-1]
    assert not any(untouched[10:19])
    assert len({frame.tobytes() for frame in frames[42:45]}) == 1  # frozen
    assert not frames[50:55].any()
    np.testing.assert_array_equal(rgba8(frames[57]), rgba8(steady.painted(steady.steps[57]))[::-1, ::-1])


@pytest.mark.parametrize("first", [5, 22, 44, 52, 70])
def test_a_film_that_begins_in_the_middle_is_the_tail_of_the_whole(steady: Live, first: int) -> None:
    """Frozen pictures from before its beginning, too."""
    whole = film(steady, 90, clean=False)
    part = film(steady, 20, start=first / 30, clean=False)
    np.testing.assert_array_equal(part, whole[first : first + 20])


@pytest.mark.parametrize("clean", [True, False])
def test_frames_that_are_there_are_left_out(steady: Live, clean: bool) -> None:
    whole, take = film(steady, 100, Fraction(50), clean=clean), read_take(steady.folder)
    have = {0, 1, 2, 40, 41, 77, 99}
    some = list(TakeStage(take, Worlds(take), Fraction(50), 0.0, clean).frames(100, have))
    assert {index for index, frame in enumerate(some) if frame is None} == have
    for index in set(range(100)) - have:
        np.testing.assert_array_equal(some[index], whole[index])


def test_pictures_of_another_size_are_brought_to_the_first(steady: Live) -> None:
    """As when a show goes over to a larger world."""
    take = read_take(steady.folder)
    stage = TakeStage(take, Worlds(take), take.fps, clean=True)
    stage.size = (32, 16)
    for step, frame in zip(steady.steps[:3], stage.frames(3), strict=True):
        expected = scaler((64, 64), (32, 16))(rgba8(steady.painted(step)))
        assert frame is not None
        assert frame.dtype == np.float32
        np.testing.assert_array_equal(rgba8(frame), expected)


# --- films


def job(live: Live, out: Path, **changed: object) -> RenderJob:
    return replace(RenderJob(live.folder, out, command=("sonorama",)), **changed)


def test_pictures_of_sixteen_bits(steady: Live, tmp_path: Path) -> None:
    report = render(job(steady, tmp_path / "shots", clean=True))
    assert (report.frames, report.fps, report.size) == (90, Fraction(30), (64, 64))
    for step in steady.steps[::9]:
        written = pixels(tmp_path / "shots" / f"frame_{step.frame + 1:06}.png", "rgb48le", (64, 64))[0]
        live = steady.painted(step)
        np.testing.assert_array_equal(written, np.floor(live * np.float32(65535) + np.float32(0.5)))


def test_what_output_controls_made_is_written_to_the_level(steady: Live, tmp_path: Path) -> None:
    render(job(steady, tmp_path / "shots", start=10 / 30, duration=0.3))
    expected = finished(steady)
    for index in range(9):
        written = pixels(tmp_path / "shots" / f"frame_{index + 1:06}.png", "rgb48le", (64, 64))[0]
        np.testing.assert_array_equal(written, rgba8(expected[10 + index])[..., :3].astype(np.uint16) * 257)


def test_a_lossless_film_holds_the_live_frames(steady: Live, tmp_path: Path) -> None:
    """The film of a stage that paints the live frames, and of the replay: the same picture, the same sound."""
    report = render(job(steady, tmp_path / "film.mkv", preset="ffv1"))
    assert (report.frames, report.seconds) == (90, 3.0)
    frames = finished(steady)

    class LiveStage:
        world, version, sha256, size, device = "tiny", "0", "", (64, 64), "cpu"

        def frames(self, blocks: object, n_frames: int, have: object = ()) -> Iterator[np.ndarray]:
            return iter(frames)

    render(
        RenderJob(steady.folder / "audio.wav", tmp_path / "live.mkv", preset="ffv1", duration=3.0),
        None,
        lambda *_: LiveStage(),
    )
    film, live = (pixels(tmp_path / name, "rgb48le", (64, 64)) for name in ("film.mkv", "live.mkv"))
    np.testing.assert_array_equal(film, live)
    sound = np.rint(SOUND[:, : 90 * 1470].T.astype(np.float64) * 2**23) / 2**23
    np.testing.assert_array_equal(samples(tmp_path / "film.mkv", 2), sound.astype(np.float32))
    told = json.loads((tmp_path / "film.mkv.json").read_text())
    assert told["take"]["format"] == "sonorama-take"
    assert told["take"]["end"] == {"frame": 89, "sample": 89 * 1470}
    assert (told["seed"], told["values"]["/look/drift"], told["clean"]) == (1, 0.3, False)
    tags = probe(tmp_path / "film.mkv")["format"]["tags"]
    assert "from a take performed at 20" in tags["COMMENT"]
    assert tags["title"] == "steady"


def test_options_mean_what_they_mean_for_sounds(busy: Live, tmp_path: Path) -> None:
    report = render(job(busy, tmp_path / "film.mp4", fps=Fraction(24), size=(128, 72), start=1.0, duration=1.5))
    assert (report.frames, report.size) == (36, (128, 72))
    film = probe(tmp_path / "film.mp4")
    assert film["video"]["avg_frame_rate"] == "24/1"
    assert float(film["audio"]["duration"]) == pytest.approx(1.5, abs=0.03)
    render(job(busy, tmp_path / "shots", clean=True))
    assert len(list((tmp_path / "shots").glob("frame_*"))) == math.ceil(read_take(busy.folder).length * 30 / RATE)


def test_a_sequence_is_continued(steady: Live, tmp_path: Path) -> None:
    out, whole = tmp_path / "shots", tmp_path / "whole"

    def stop(done: int, total: int) -> None:
        if done == 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(job(steady, out), stop)
    render(job(steady, out))
    render(job(steady, whole))
    for path in sorted(whole.glob("frame_*")):
        assert (out / path.name).read_bytes() == path.read_bytes()
    with pytest.raises(OutputError, match="clean"):
        render(job(steady, out, clean=True))


# --- what it refuses


@pytest.mark.parametrize(
    "changed",
    [{"loop": True}, {"seed": 3}, {"text": "rain"}, {"values": {"/look/seed": 3}}],
)
def test_a_take_is_played_as_it_was(steady: Live, tmp_path: Path, changed: dict[str, object]) -> None:
    with pytest.raises(ValueRefused, match="is a take") as caught:
        render(job(steady, tmp_path / "film.mp4", **changed))
    assert len(str(caught.value).splitlines()) == 2
    assert not list(tmp_path.iterdir())


def test_clean_is_for_takes_and_takes_are_not_replaced(steady: Live, tmp_path: Path) -> None:
    with pytest.raises(ValueRefused, match="--clean"):
        render(RenderJob(steady.folder / "audio.wav", tmp_path / "film.mp4", clean=True))
    before = sorted(steady.folder.iterdir())
    with pytest.raises(OutputError, match="the take itself"):
        render(job(steady, steady.folder))
    with pytest.raises(InputError, match="outside"):
        render(job(steady, tmp_path / "film.mp4", start=3.0))
    assert sorted(steady.folder.iterdir()) == before


@pytest.fixture
def moved(tiny_world: str, tmp_path: Path) -> Live:
    """A take whose world is no longer where it was."""
    shutil.copy(tiny_world, tmp_path / "here.safetensors")
    live = Live(tmp_path / "x", str(tmp_path / "here.safetensors"), frames=10).begin().play()
    (tmp_path / "here.safetensors").rename(tmp_path / "there.safetensors")
    return live


def test_the_world_may_be_elsewhere(moved: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WorldError, match="is not here") as caught:
        render(job(moved, tmp_path / "film.mp4"))
    assert len(str(caught.value).splitlines()) == 2
    assert "--world" in caught.value.hint
    render(job(moved, tmp_path / "film.mp4", world=str(tmp_path / "there.safetensors")))
    monkeypatch.setenv("SONORAMA_WORLDS", str(tmp_path))  # installed under another name
    same(replayed(moved), moved.steps)


def test_another_world_is_noticed(moved: Live, tmp_path: Path) -> None:
    world = load_world(str(tmp_path / "there.safetensors"))
    tensors = world.tensors | {"generator.mapping.w_avg": world.tensors["generator.mapping.w_avg"] + np.float32(1)}
    save_world(tmp_path / "here.safetensors", world.card, tensors)
    for given in (None, str(tmp_path / "here.safetensors")):
        with pytest.raises(WorldError, match="another world") as caught:
            render(job(moved, tmp_path / "film.mp4", world=given))
        assert len(str(caught.value).splitlines()) == 2
    with pytest.raises(WorldError):
        render(job(moved, tmp_path / "film.mp4", world="atlantis"))


def test_a_device_that_is_not_here(steady: Live, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Recorded: another one plays, and it is said. Asked for: refused."""
    take = read_take(steady.folder)
    take = replace(take, start=replace(take.start, device="npu"))
    stage = TakeStage(take, Worlds(take), take.fps)
    assert "npu" in caplog.text
    assert len(list(stage.frames(3))) == 3
    with pytest.raises(SonoramaError, match="npu"):
        render(job(steady, tmp_path / "film.mp4", device="npu"))
    ort = TakeStage(take, Worlds(take, device="ort"), take.fps)
    assert ort.device == "onnxruntime-cpu"


@pytest.mark.parametrize("damage", ["missing", "foreign", "another"])
def test_a_state_that_does_not_belong_is_refused(tiny_world: str, tmp_path: Path, damage: str) -> None:
    live = Live(tmp_path / "x", tiny_world, frames=20, from_frame=10).begin().play()
    state = live.folder / "start.state"
    match damage:
        case "missing":
            state.unlink()
        case "foreign":
            shutil.copy(tiny_world, state)
        case _:
            save_state(state, live.player)
    with pytest.raises(InputError) as caught:
        render(job(live, tmp_path / "film.mp4"))
    assert len(str(caught.value).splitlines()) == 2


def test_a_take_that_was_not_closed_is_said(steady: Live, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(steady.folder, folder)
    told = json.loads((folder / "take.json").read_text())
    (folder / "take.json").write_text(json.dumps({**told, "end": None}))
    with (folder / "audio.wav").open("r+b") as file:
        file.truncate(92 + 8 * 30_000)
    with (folder / "events.jsonl").open("ab") as file:
        file.write(
            b'{"frame": 3, "sample": 4410, "lost": [22050, 44100]}\n{"frame": 4, "sample": 5880, "dropped": 2}\n{"fra'
        )
    report = render(RenderJob(folder, tmp_path / "film.mp4"))
    assert report.frames == 30_000 // 1470 + 1
    assert "not closed" in caplog.text
    assert "misses 0.5 s" in caplog.text
    assert "2 events" in caplog.text
