"""A show that plays for long takes no more memory than one that plays for a minute.

By hand, half an hour: pytest -m soak -s tests/live/test_memory.py; $SONORAMA_SOAK_MINUTES for another time.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import LONG_S
from .memory import Memory
from .stage import LiveShow, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
Start = Callable[..., LiveShow]
WARM_S = 30.0
MINUTES = float(os.environ.get("SONORAMA_SOAK_MINUTES", "30"))


def test_memory_stays_for_two_minutes(long_show: tuple[LiveShow, Memory]) -> None:
    """It began to play with the first of these tests."""
    show, watched = long_show
    until(lambda: show.process.poll() is not None, "it does not end", 2 * LONG_S)
    assert watched.rows[-1][0] > LONG_S, f"it ended by itself: {show.output}"
    slopes = watched.slopes(WARM_S)
    print(f"show {slopes[0]:+.2f}, renderer {slopes[1]:+.2f} MB a minute")
    assert max(slopes) < 3.0
    assert show.row["restarts"] == 0


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_memory_stays_for_half_an_hour(start: Start, tmp_path: Path) -> None:
    take, film = tmp_path / "a.take", tmp_path / "a.mkv"
    show = start("--source", "tone", "--sink", "null", "--take", str(take), "--record", str(film), world="shore")
    show.playing()
    watched = Memory(show)
    show.wait(lambda: watched.rows and watched.rows[-1][0] > 60 * MINUTES, "it does not play so long", 120 * MINUTES)
    watched.close()
    slopes = watched.slopes(120.0)
    print(f"show {slopes[0]:+.3f}, renderer {slopes[1]:+.3f} MB a minute in {MINUTES:g} minutes; {show.row}")
    assert max(slopes) < 1.0
    assert show.row["restarts"] == 0
