"""How much of the processor this process may use, and how numpy uses it. Imports nothing that takes time."""

from __future__ import annotations

import os


def cores() -> int:
    """Cores that the system lets this process run on: fewer than the machine's under `taskset` or in a container."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_blas_thread() -> None:
    """Let numpy's OpenBLAS use one thread, here and in processes started from here; call it before numpy is imported.

    Its threads wait for each other in busy loops. The products of a frame are small: beside the two threads that paint
    they cost more time than they save. Films were 1.4 times slower with them (tests/benchmarks/render.py).
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
