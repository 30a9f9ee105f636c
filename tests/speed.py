"""How much slower this machine is now than the one that the time limits of the tests were chosen on.

`python tests/speed.py SECONDS` prints the limit for this machine in whole seconds.
"""

import functools
import os
import statistics
import sys
import time

VARIABLE = "SONORAMA_TEST_SLOWNESS"
"""Environment variable that holds it, so that it is measured once for all processes of a run."""
REFERENCE_S = 0.15
"""Seconds that `work` takes there, with nothing else to do."""


def work() -> int:
    """What the clock is read for: arithmetic in Python."""
    total = 0
    for number in range(2_000_000):
        total += number & 3
    return total


def measured() -> float:
    """By the wall clock, so that other work on the machine counts; at least 1."""
    taken: list[float] = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return max(1.0, statistics.median(taken) / REFERENCE_S)


@functools.cache
def slowness() -> float:
    """A factor for time limits, 1 or more."""
    given = os.environ.get(VARIABLE)
    if not given:
        given = os.environ[VARIABLE] = f"{measured():.2f}"
    return float(given)


if __name__ == "__main__":
    print(round(float(sys.argv[1]) * slowness()))
