"""The beat of an external clock: exact at every sample, the same in a replay, and absent when the clock stops."""

from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.external_clock import clock_beats
from sonorama.engine.pipeline.frame_pipeline import FramePipeline, Open
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.snapshot import read_state, save_state
from sonorama.engine.units import SAMPLE_RATE

BPM, ORIGIN = 126.0, -3.1
START: dict[str, Value] = {
    "/sound/tempo": "clock", "/moves/1/source": "lfo", "/moves/1/sync": "1 bar", "/moves/1/target": "/look/truncation",
    "/moves/2/source": "beat", "/look/travel": 1.0,
}  # fmt: skip
CHANGES = {
    10: [Change("/clock/bpm", BPM, "midi clock"), Change("/clock/origin", ORIGIN, "midi clock")],
    70: [Change("/clock/bpm", 0.0, "midi clock")],
}


@pytest.fixture(scope="module")
def open_tiny(tiny_world: str) -> Open:
    instrument = LoadedWorld(world := load_world(tiny_world), open_backend(world, "cpu"))
    return lambda _world, _device: instrument


def play(pipeline: FramePipeline, frames: int) -> list[tuple[np.ndarray, tuple[float, float, float, float]]]:
    played = []
    while pipeline.frame < frames:
        result = pipeline.step(np.zeros(pipeline.missing, np.float32), CHANGES.get(pipeline.frame, ()))
        heard = pipeline.modulators.features
        played.append((result.w, (heard.bpm, heard.beat, heard.bar, heard.phrase)))
    return played


def test_beat_bar_and_phrase_are_those_of_the_clock(open_tiny: Open) -> None:
    pipeline = FramePipeline(open_tiny, START)
    heard = [features for _, features in play(pipeline, 80)]
    assert all(bpm == 0 for bpm, *_ in (*heard[:10], *heard[70:])), "in silence there is no beat without a clock"
    for frame in range(10, 70):
        beats = (pipeline.grid.sample(frame) / SAMPLE_RATE - ORIGIN) * BPM / 60
        bpm, beat, bar, phrase = heard[frame]
        assert (bpm, beat) == (BPM, pytest.approx(beats % 1, abs=1e-9))
        assert (bar, phrase) == (int(beats / 4) % 4 + 1, pytest.approx(beats / 64 % 1))


def test_another_renderer_goes_on_with_the_same_bits(open_tiny: Open, tmp_path: Path) -> None:
    pipeline = FramePipeline(open_tiny, START)
    play(pipeline, 31)
    save_state(tmp_path / "state", pipeline)
    other = FramePipeline(open_tiny, {})
    other.restore(*read_state(tmp_path / "state"))
    for (one, heard), (again, heard_again) in zip(play(pipeline, 90), play(other, 90), strict=True):
        assert np.array_equal(one, again) and heard == heard_again


def test_it_counts_only_where_it_is_chosen() -> None:
    values = {path: param.default for path, param in SHOW.items()} | {"/clock/bpm": 120.0, "/clock/origin": 1.0}
    assert clock_beats(values, 2 * SAMPLE_RATE) is None
    assert clock_beats(values | {"/sound/tempo": "clock"}, 2 * SAMPLE_RATE) == 2.0
    assert clock_beats(values | {"/sound/tempo": "clock", "/clock/bpm": 0.0}, 2 * SAMPLE_RATE) is None
