"""When exact painting counts as too slow, from sequences of measurements."""

from collections.abc import Iterable

import pytest

from sonorama.engine.renderer.rate_watch import GAP_S, SETTLE_S, SLOW_S, RateWatch

FPS = 30.0
Measured = tuple[float, float, float]
SLOW, FINE = (18.0, 0.052), (30.0, 0.020)


def watched(measured: Iterable[Measured], watch: RateWatch | None = None) -> list[float]:
    """The times at which it was too slow, of (seconds, pictures a second, seconds a picture)."""
    watch, found = watch or RateWatch(), list[float]()
    for now, painted_fps, paint_s in measured:
        watch = watch.told(now, FPS, painted_fps, paint_s)
        if watch.too_slow:
            found.append(now)
    return found


def every_tenth(until: float, *spans: tuple[float, float, float]) -> list[Measured]:
    """Ten measurements a second; spans: (from when, pictures a second, seconds a picture)."""
    times = [number / 10 for number in range(round(until * 10))]
    return [(now, *next(span[1:] for span in reversed(spans) if span[0] <= now)) for now in times]


def test_painting_that_is_too_slow_for_some_seconds_counts() -> None:
    found = watched(every_tenth(30, (0, *SLOW)))
    assert found[0] == pytest.approx(SETTLE_S + SLOW_S, abs=0.11)


def test_painting_that_keeps_up_does_not_count() -> None:
    assert watched(every_tenth(60, (0, *FINE))) == []


def test_a_slow_start_does_not_count() -> None:
    assert watched(every_tenth(60, (0, *SLOW), (SETTLE_S + SLOW_S - 0.5, *FINE))) == []


def test_a_machine_that_stumbles_does_not_count() -> None:
    """Slow for three of every four seconds: other programs, not the painting alone."""
    spans = [(second, *(FINE if second % 4 == 0 else SLOW)) for second in range(60)]
    assert watched(every_tenth(60, *spans)) == []


def test_pictures_that_are_missing_for_another_reason_do_not_count() -> None:
    """Painting itself takes less than a frame: in lower precision as many would be missing."""
    assert watched(every_tenth(60, (0, 18.0, 0.020))) == []


def test_painting_that_fills_the_frame_but_keeps_up_does_not_count() -> None:
    assert watched(every_tenth(60, (0, 29.5, 0.0325))) == []


def test_slowness_later_in_a_show_counts() -> None:
    found = watched(every_tenth(60, (0, *FINE), (20, *SLOW)))
    assert found[0] == pytest.approx(20 + SLOW_S, abs=0.11)


def test_a_suspended_machine_begins_anew() -> None:
    before = every_tenth(SETTLE_S + SLOW_S - 0.5, (0, *SLOW))
    after = [(now + 3600 + GAP_S, fps, paint_s) for now, fps, paint_s in every_tenth(30, (0, *SLOW))]
    assert watched([*before, *after])[0] == pytest.approx(3600 + GAP_S + SETTLE_S + SLOW_S, abs=0.11)


@pytest.mark.parametrize(("fps", "slow"), [(24.0, False), (30.0, True)])
def test_it_is_measured_by_the_frame_rate_asked_for(fps: float, slow: bool) -> None:
    watch = RateWatch()
    for now, *rest in every_tenth(30, (0, 24.0, 0.035)):
        watch = watch.told(now, fps, *rest)
    assert watch.too_slow is slow
