"""A take replayed is the performance: latents and pictures bit for bit, output controls as they were."""

import json
import shutil
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.errors import WorldError
from sonorama.engine.inference.graph_cache import graph_folder, ready_graphs
from sonorama.engine.model.world_file import load_world, save_world
from sonorama.engine.picture.scale import scaler
from sonorama.engine.picture.to_rgba8 import rgba8
from sonorama.engine.take.reader import read_take
from sonorama.engine.units import SAMPLE_RATE
from sonorama.export.replay import Replay, TakeFrameSource, Worlds

from .replay_helpers import FRAMES, MANY, Live, by, film, finished, replayed, same
from .replay_helpers import busy as busy
from .replay_helpers import shows as shows
from .replay_helpers import steady as steady

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
    live = Live(tmp_path / "x", tiny_world, "cpu", changes=changes, frames=24).begin().play()
    assert len({id(step.instrument) for step in live.steps}) == 3
    same(replayed(live, worlds=live.worlds), live.steps)
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


@pytest.fixture(scope="module")
def whole(shows: dict[str, Live]) -> np.ndarray:
    """All of the steady show with its output controls."""
    return film(shows["steady"], 90, clean=False)


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
    n = int((read_take(busy.folder).length - round(start * SAMPLE_RATE)) * fps / SAMPLE_RATE)
    frames = film(busy, n, fps, start)
    for step, frame in zip(busy.shown(n, fps, start), frames, strict=True):
        np.testing.assert_array_equal(frame, busy.painted(step))


def test_output_controls_act_as_they_did(steady: Live, whole: np.ndarray) -> None:
    expected, frames = finished(steady), whole
    np.testing.assert_array_equal(frames, expected)
    untouched = [np.array_equal(frame, steady.painted(s)) for frame, s in zip(frames, steady.steps, strict=True)]
    assert untouched[0]
    assert untouched[-1]
    assert not any(untouched[10:19])
    assert len({frame.tobytes() for frame in frames[42:45]}) == 1  # frozen
    assert not frames[50:55].any()
    np.testing.assert_array_equal(rgba8(frames[57]), rgba8(steady.painted(steady.steps[57]))[::-1, ::-1])


@pytest.mark.parametrize("first", [5, 22, 44, 52, 70])
def test_a_film_that_begins_in_the_middle_is_the_tail_of_the_whole(steady: Live, whole: np.ndarray, first: int) -> None:
    """Frozen pictures from before its beginning, too."""
    part = film(steady, 20, start=first / 30, clean=False)
    np.testing.assert_array_equal(part, whole[first : first + 20])


@pytest.mark.parametrize("clean", [True, False])
def test_frames_that_are_there_are_left_out(steady: Live, clean: bool) -> None:
    frames, take = film(steady, 100, Fraction(50), clean=clean), read_take(steady.folder)
    have = {0, 1, 2, 40, 41, 77, 99}
    some = list(TakeFrameSource(take, steady.worlds, Fraction(50), 0.0, clean).frames(100, have))
    assert {index for index, frame in enumerate(some) if frame is None} == have
    for index in set(range(100)) - have:
        np.testing.assert_array_equal(some[index], frames[index])


def test_pictures_of_another_size_are_brought_to_the_first(steady: Live) -> None:
    """As when a show goes over to a larger world."""
    take = read_take(steady.folder)
    stage = TakeFrameSource(take, steady.worlds, take.fps, clean=True)
    stage.size = (32, 16)
    for step, frame in zip(steady.steps[:3], stage.frames(3), strict=True):
        expected = scaler((64, 64), (32, 16))(rgba8(steady.painted(step)))
        assert frame is not None
        assert frame.dtype == np.float32
        np.testing.assert_array_equal(rgba8(frame), expected)
