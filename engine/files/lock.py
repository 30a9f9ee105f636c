"""Locks of open files and folders, each held by one process at a time; they end with their process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import SonoramaError

try:
    import fcntl
except ImportError:  # Windows: nothing is locked
    fcntl = None


def lock(handle: int) -> bool:
    """Take the lock of a descriptor, until it is closed; False where another process holds it.

    Where nothing can be locked, such as on some file systems, it is taken for held.
    """
    if fcntl is not None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            pass
    return True


@contextmanager
def only_one(handle: int, refused: SonoramaError) -> Iterator[None]:
    """Hold the lock of a descriptor during the block, and close it then; `refused` is raised where another process has
    it.
    """
    try:
        if not lock(handle):
            raise refused
        yield
    finally:
        os.close(handle)
