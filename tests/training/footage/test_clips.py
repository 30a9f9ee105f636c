"""Clips: every point of the grid shows the picture with the nearest stamp; files give back every bit."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.training.data.footage_clips import read_frames
from sonorama.training.footage.clips import RATE, SHORTEST, ClipGrid, Stretch, write_clip

from .media import moving, scene


def stretches(times: list[Fraction], length: int = 90) -> list[Stretch]:
    grid, out = ClipGrid(length), []
    for i, time in enumerate(times):
        out += grid.push(time, np.full((4, 4, 3), i % 251, np.uint8))
    return out + grid.end()


def irregular(seed: int) -> list[Fraction]:
    rng = np.random.default_rng(seed)
    return [Fraction(int(t), 1000) + 7 for t in np.cumsum(rng.integers(5, 110, 120))]


STAMPS = [[Fraction(i, 24) for i in range(60)], [Fraction(i, 60) for i in range(150)],
          [Fraction(1001 * i, 30000) for i in range(70)], irregular(1), irregular(2)]  # fmt: skip


@pytest.mark.parametrize("times", STAMPS)
def test_the_nearest_stamp_is_shown(times: list[Fraction]) -> None:
    found = stretches(times, 40)
    assert found and sum(len(s.frames) for s in found) >= (times[-1] - times[0]) * RATE - SHORTEST - 1
    at = times[0]
    for stretch in found:
        assert stretch.time == at
        for k, frame in enumerate(stretch.frames):
            grid = stretch.time + Fraction(k, RATE)
            best = min(abs(time - grid) for time in times)
            assert abs(times[int(frame[0, 0, 0])] - grid) == best
        at = stretch.time + Fraction(len(stretch.frames), RATE)


def test_no_clip_reaches_across_a_gap() -> None:
    times = [Fraction(i, 25) for i in range(30)] + [Fraction(i, 25) + 3 for i in range(30)]
    found = stretches(times)
    assert [s.time for s in found] == [0, 3]
    assert {int(f[0, 0, 0]) for f in found[0].frames} == set(range(29))


def test_slow_series_and_short_shots_give_none() -> None:
    assert stretches([Fraction(i) for i in range(20)]) == []
    assert stretches([Fraction(i, 25) for i in range(15)]) == []


def test_files_give_back_every_bit(tmp_path: Path) -> None:
    frames = [*moving(1, 10, size=(71, 40)), np.random.default_rng(0).integers(0, 256, (40, 71, 3)).astype(np.uint8)]
    write_clip(tmp_path / "a.mkv", frames)
    read = read_frames(tmp_path / "a.mkv").permute(0, 2, 3, 1).numpy()
    assert np.array_equal(read, np.stack(frames))


def test_what_does_not_move_is_told() -> None:
    picture = scene(1)
    assert not Stretch(Fraction(0), (picture,) * 30).moves
    assert not Stretch(Fraction(0), tuple(picture.copy() for _ in range(30))).moves
    assert Stretch(Fraction(0), tuple(moving(1, 30))).moves
