"""Strong changes of what is heard, in sound embeddings that are made up."""

import numpy as np
import pytest

from sonorama.engine.pipeline.sound_change import FRAMES, STATISTICS, ChangeDetector, Limits

RNG = np.random.default_rng(3)
RAIN, FIRE, WIND = np.linalg.qr(RNG.standard_normal((64, 3)))[0].T  # at right angles: a distance of 1
SECOND = 10


def near(code: np.ndarray, distance: float) -> np.ndarray:
    """A unit code at this cosine distance, in a direction of its own."""
    other = RNG.standard_normal(64)
    other -= other @ code * code
    cosine = 1 - distance
    return cosine * code + np.sqrt(1 - cosine**2) * other / np.linalg.norm(other)


def found(detector: ChangeDetector, codes: list[np.ndarray], presence: float = 1.0, ready: bool = True) -> list[int]:
    return [point for point, code in enumerate(codes) if detector.step(code, presence, ready)]


def steady(code: np.ndarray, seconds: float, distance: float = 0.08) -> list[np.ndarray]:
    return [near(code, distance) for _ in range(round(seconds * SECOND))]


def test_a_steady_sound_never_changes() -> None:
    assert found(ChangeDetector(), steady(RAIN, 120)) == []


def test_another_sound_is_found_once_within_a_second() -> None:
    detector = ChangeDetector()
    assert found(detector, steady(RAIN, 10)) == []
    changed = found(detector, steady(FIRE, 30))
    assert len(changed) == 1
    assert changed[0] < SECOND
    assert len(found(detector, steady(RAIN, 30))) == 1


@pytest.mark.parametrize(("limits", "times"), [(STATISTICS, 0), (FRAMES, 1)])
def test_ears_that_hear_frames_find_smaller_changes(limits: Limits, times: int) -> None:
    detector, other = ChangeDetector(), near(RAIN, 0.27)
    codes = [near(RAIN, 0.01) for _ in range(10 * SECOND)] + [near(other, 0.01) for _ in range(10 * SECOND)]
    assert sum(detector.step(code, 1.0, True, limits) for code in codes) == times


@pytest.mark.parametrize("points", [1, 4])
def test_a_sound_of_less_than_half_a_second_is_no_change(points: int) -> None:
    detector = ChangeDetector()
    codes = steady(RAIN, 10) + steady(FIRE, points / SECOND) + steady(RAIN, 20)
    assert found(detector, codes) == []


def test_between_two_sounds_it_does_not_flutter() -> None:
    """Distances around the threshold: what has changed must become similar before it can change again."""
    detector = ChangeDetector()
    found(detector, steady(RAIN, 10))
    blend = (RAIN + FIRE) / np.sqrt(2)
    codes = [near(blend if point // 7 % 2 else RAIN, 0.02) for point in range(60 * SECOND)]
    assert len(found(detector, codes)) <= 2


def test_a_change_waits_until_it_is_wanted() -> None:
    detector = ChangeDetector()
    found(detector, steady(RAIN, 10))
    assert found(detector, steady(FIRE, 2), ready=False) == []
    assert found(detector, steady(FIRE, 5))[0] == 0


def test_sound_after_silence_is_a_change_and_after_a_short_gap_is_none() -> None:
    for silence_s, changes in ((3.0, 1), (1.0, 0)):
        detector = ChangeDetector()
        found(detector, steady(RAIN, 10))
        assert found(detector, steady(FIRE, silence_s), presence=0.0) == [], "silence never is one"
        back = found(detector, steady(RAIN, 10))
        assert len(back) == changes
        assert all(point < SECOND for point in back)


def test_no_code_is_no_change() -> None:
    detector = ChangeDetector()
    assert not any(detector.step(None, 1.0, True) for _ in range(50))
    assert found(detector, [np.zeros(64)] * 50) == []


def test_a_restored_one_goes_on_alike() -> None:
    codes = steady(RAIN, 8) + steady(FIRE, 8) + steady(WIND, 8)
    whole = found(ChangeDetector(), codes)
    assert len(whole) == 2
    for cut in (30, 82, 84, 120):
        first, second = ChangeDetector(), ChangeDetector()
        before = found(first, codes[:cut])
        second.restore(*first.snapshot())
        assert before + [cut + point for point in found(second, codes[cut:])] == whole
