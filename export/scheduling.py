"""Keep an encoder from making this process a real-time one."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_THREADS = Path("/proc/self/task")


@contextmanager
def scheduling_kept() -> Iterator[None]:
    """Give every thread that had a scheduling policy its own back after the block, and new ones the caller's.

    SVT-AV1, opened by root (any container that renders), puts its own threads and the one that opens it under
    SCHED_FIFO at 99. What that thread starts later inherits it, and then torch's threads can spin for ever on a lock
    whose holder, of a lower policy, gets no core any more. Linux only: nothing elsewhere can be read or set.
    """
    if sys.platform != "linux":
        yield
        return
    before = _policies()
    mine = before[threading.get_native_id()]
    try:
        yield
    finally:
        for thread, now in _policies().items():
            wanted = before.get(thread, mine)
            if now != wanted:
                with suppress(ProcessLookupError):  # it has ended meanwhile
                    os.sched_setscheduler(thread, wanted[0], os.sched_param(wanted[1]))


def _policies() -> dict[int, tuple[int, int]]:
    """Thread -> (policy, priority), of all threads of this process."""
    found = {}
    for entry in _THREADS.iterdir():
        with suppress(ProcessLookupError):
            thread = int(entry.name)
            found[thread] = os.sched_getscheduler(thread), os.sched_getparam(thread).sched_priority
    return found
