"""The journey through the seeds: when it goes on, where it goes, and that it is the same however it is played."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio.features import Features
from sonorama.engine.control.addresses import modulator
from sonorama.engine.control.live_table import MODULATORS
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.control.render_table import TABLE
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.frame_pipeline import FramePipeline, Open
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.snapshot import read_state, save_state
from sonorama.engine.pipeline.travel import AT_HOME, HOME, SoundPoint, Travel, Way
from sonorama.engine.units import LEVELS, SAMPLE_RATE

POINT = SAMPLE_RATE // 10
RNG = np.random.default_rng(2)
CODES = RNG.standard_normal((300, 16)).astype(np.float32)
CODES /= np.linalg.norm(CODES, axis=1, keepdims=True)
VALUES: dict[str, Value] = {path: param.default for path, param in TABLE.items()}
SEED = 9


class Played:
    """A journey that is heard point by point, and the seconds at which it went to another seed than before."""

    def __init__(self) -> None:
        self.travel, self.point = Travel(), 0
        self.values = {**VALUES, "/look/travel": 0.5}
        self.bpm = 0.0

    def hear(self, seconds: float, code: np.ndarray = CODES[0], presence: float = 1.0) -> list[float]:
        arrivals = []
        for _ in range(round(seconds * 10)):
            before, self.point = self.places(), self.point + 1
            now = self.point / 10
            features = Features(0.5, 0.5, 0.5, 0.5, 0.0, now * self.bpm / 60 % 1.0, self.bpm, -20.0)
            self.travel.step(self.values, SoundPoint(self.point * POINT, code, presence, features), SEED, CODES)
            here = self.places()
            if len(here[LEVELS[0]]) == 1 != len(before[LEVELS[0]]):
                arrivals.append(now)
        return arrivals

    def places(self) -> dict[str, tuple[tuple[int, float], ...]]:
        return self.travel.at(self.point * POINT)


def test_a_way_leads_from_one_place_to_the_other() -> None:
    way = Way(((HOME, 0.75), (4, 0.25)), 8, 100, 1000)
    assert way.at(100) == way.origin
    assert way.at(1100) == way.at(10**9) == ((8, 1.0),)
    for sample in range(100, 1200, 50):
        assert sum(weight for _, weight in way.at(sample)) == pytest.approx(1)
    assert way.stopped(600).at(10**9) == way.at(600)
    assert dict(way.at(600))[8] == 0.5


def test_without_a_beat_it_goes_on_every_ten_seconds() -> None:
    """It creeps, goes there in a third of that, and creeps on."""
    assert Played().hear(50) == [pytest.approx(10 * n + 10 / 3, abs=0.11) for n in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("travel", "bpm", "phrase_s"), [(0.5, 120.0, 8.0), (1.0, 120.0, 4.0), (0.5, 90.0, 32 / 3), (0.5, 160.0, 12.0)]
)
def test_with_a_beat_it_goes_on_at_the_end_of_so_many_bars(travel: float, bpm: float, phrase_s: float) -> None:
    played = Played()
    played.values["/look/travel"], played.bpm = travel, bpm
    arrivals = played.hear(40)
    way = min(max(5 / travel / 3, 2.0), 6.0)
    wanted = [phrase_s * n + way for n in range(1, 10) if phrase_s * n + way < 39.5]
    assert len(wanted) > 2
    assert arrivals == [pytest.approx(one, abs=0.25) for one in wanted]


def test_a_resync_begins_the_phrase() -> None:
    played = Played()
    played.bpm = 120.0
    played.hear(5)
    played.travel.resync()
    assert played.hear(15) == [pytest.approx(5 + 8 + 10 / 3, abs=0.25)]


def test_another_sound_starts_a_way_at_once() -> None:
    played = Played()
    assert played.hear(9, CODES[0]) == []
    target = played.places()
    assert played.hear(4, CODES[1]) == [pytest.approx(9 + 0.5 + 10 / 6, abs=0.3)]
    assert played.places() != target


def test_silence_never_starts_one_and_sound_after_it_does() -> None:
    played = Played()
    played.hear(5)
    assert played.hear(4, CODES[1], presence=0.0) == []
    assert played.hear(4, CODES[0]) == [pytest.approx(9 + 0.5 + 10 / 6, abs=0.3)]


def test_nothing_stands_still_between() -> None:
    played = Played()
    played.hear(1)
    shares = []
    for _ in range(8):
        played.hear(1)
        shares.append(dict(played.places()["mid"]).get(HOME, 0.0))
    assert all(a > b > 0.6 for a, b in pairwise(shares))


def test_a_muted_level_stands_and_joins_the_others_again() -> None:
    played = Played()
    played.values["/motion/coarse/mute"] = True
    played.hear(20)
    played.hear(5, CODES[1])
    assert played.places()["coarse"] == AT_HOME
    assert played.places()["mid"] == played.places()["fine"] != AT_HOME
    played.values["/motion/coarse/mute"] = False
    joined = []
    for _ in range(200):
        before = dict(played.places()["coarse"])
        played.hear(0.1, CODES[1])
        after = dict(played.places()["coarse"])
        joined.append(max(abs(after.get(seed, 0) - before.get(seed, 0)) for seed in {*before, *after}))
    assert 0 < max(joined) < 0.06, "over seconds"
    assert dict(played.places()["coarse"]).get(HOME, 0.0) == 0.0


def test_at_zero_it_never_leaves_and_stays_where_it_is() -> None:
    played = Played()
    played.values["/look/travel"] = 0.0
    played.hear(30)
    played.hear(30, CODES[1])
    assert not played.travel.away
    assert set(played.places().values()) == {AT_HOME}
    played.values["/look/travel"] = 1.0
    played.hear(3)
    played.values["/look/travel"] = 0.0
    played.hear(0.1)
    stopped = played.places()
    played.hear(30)
    assert played.places() == stopped != dict.fromkeys(LEVELS, AT_HOME)


# --- in the frame pipeline


@pytest.fixture(scope="module")
def open_tiny(tiny_world: str) -> Open:
    instrument = LoadedWorld(world := load_world(tiny_world), open_backend(world, "cpu"))
    return lambda _world, _device: instrument


def noise() -> np.ndarray:
    """15 s: noise, silence, and clicks."""
    sound = RNG.standard_normal(15 * SAMPLE_RATE) * 0.1
    sound[4 * SAMPLE_RATE : 7 * SAMPLE_RATE] = 0
    sound[7 * SAMPLE_RATE :] *= 4 * (np.arange(8 * SAMPLE_RATE) % (SAMPLE_RATE // 2) < 3000)
    return sound.astype(np.float32)


SOUND = noise()


def play(pipeline: FramePipeline, frames: int, changes: dict[int, list[Change]] | None = None) -> list[np.ndarray]:
    codes = []
    while pipeline.frame < frames:
        piece = SOUND[pipeline.sample : pipeline.next_sample]
        codes.append(pipeline.step(piece, (changes or {}).get(pipeline.frame, ())).w)
    return codes


def test_a_renderer_that_takes_over_goes_on_bit_for_bit(open_tiny: Open, tmp_path: Path) -> None:
    cuts, codes = (15, 71, 76, 79, 110), list[np.ndarray]()
    first = FramePipeline(open_tiny, {"/look/travel": 1.0, "/look/drift": 0.2}, Fraction(10))
    for cut in cuts:
        codes += play(first, cut)
        save_state(tmp_path / str(cut), first)
    codes += play(first, 140)
    assert first.base.travel.snapshot()[1]["numbers"][0] >= 3, "it has been to some seeds"
    for cut in cuts:
        second = FramePipeline(open_tiny, {}, Fraction(10))
        second.restore(*read_state(tmp_path / str(cut)))
        np.testing.assert_array_equal(play(second, 140), codes[cut:])


def test_the_way_does_not_depend_on_the_frame_rate(open_tiny: Open) -> None:
    ways = []
    for fps in (4, 10, 30):
        pipeline = FramePipeline(open_tiny, {"/look/travel": 1.0}, Fraction(fps))
        play(pipeline, 12 * fps + 1)
        ways.append(pipeline.base.travel.snapshot()[1])
    assert ways[0]["ways"] == ways[1]["ways"] == ways[2]["ways"]
    assert ways[0]["numbers"][2] > 7 * SAMPLE_RATE, "sound came back after silence"


def test_at_zero_the_base_is_that_of_the_seed_to_the_bit(open_tiny: Open) -> None:
    muted: dict[str, Value] = {f"/motion/{level}/mute": True for level in LEVELS}
    pipeline = FramePipeline(
        open_tiny, {"/look/travel": 0.0, "/look/sway": 0.0, "/look/seed": SEED, **muted}, Fraction(10)
    )
    bank = open_tiny("", "").seed_bank
    for w in play(pipeline, 100):
        np.testing.assert_array_equal(w, bank.base(SEED, 0.7, 0.0, None, 0.0))


def test_with_all_levels_muted_the_sound_does_not_lead_it(open_tiny: Open) -> None:
    muted: dict[str, Value] = {f"/motion/{level}/mute": True for level in LEVELS}
    pipeline = FramePipeline(open_tiny, {"/look/travel": 1.0, "/look/seed": SEED, **muted}, Fraction(10))
    codes = play(pipeline, 100)
    np.testing.assert_array_equal(codes, [codes[0]] * 100)


@pytest.mark.parametrize("seed", [SEED, SEED + 1])
def test_choosing_a_seed_goes_there_be_it_the_same(open_tiny: Open, seed: int) -> None:
    start: dict[str, Value] = {"/look/travel": 1.0, "/look/seed": SEED, "/scene/morph": 0.0, "/look/sway": 0.0}
    start |= {modulator(number, "source"): "off" for number in range(1, MODULATORS + 1)}
    pipeline = FramePipeline(open_tiny, start, Fraction(10))
    play(pipeline, 90)
    assert pipeline.base.travel.away
    play(pipeline, 91, {90: [Change("/look/seed", seed, "test")]})
    bank = open_tiny("", "").seed_bank
    np.testing.assert_array_equal(pipeline.base.at(pipeline.sample), bank.base(seed, 0.7, 0.0, None, 0.0))
    play(pipeline, 100)
    assert pipeline.base.travel.away, "and travels on from it"


def test_drift_goes_on_where_the_journey_has_stopped(open_tiny: Open) -> None:
    start: dict[str, Value] = {"/look/travel": 1.0, "/look/drift": 0.5}
    pipeline = FramePipeline(open_tiny, start, Fraction(10))
    play(pipeline, 100)
    play(pipeline, 101, {100: [Change("/look/travel", 0.0, "test")]})
    one = pipeline.base.at(pipeline.sample)
    play(pipeline, 120)
    assert np.abs(pipeline.base.at(pipeline.sample) - one).max() > 0


def test_another_world_or_position_begins_at_the_seed(open_tiny: Open) -> None:
    pipeline = FramePipeline(open_tiny, {"/look/travel": 1.0}, Fraction(10))
    play(pipeline, 100)
    pipeline.jump(500, 50 * SAMPLE_RATE)
    assert not pipeline.base.travel.away
