"""A lock that one process at a time holds, on a file or folder; it ends with its process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import OutputError

try:
    import fcntl
except ImportError:  # Windows: nothing is locked
    fcntl = None


@contextmanager
def only_one(handle: int, refused: OutputError) -> Iterator[None]:
    """Hold the lock of an open file or folder during the block, and close it then.

    Where nothing can be locked, such as on some file systems, the block runs unguarded.

    Args:
        handle: its descriptor.
        refused: raised where another process holds it.

    """
    try:
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise refused from error
            except OSError:  # a file system without locks
                pass
        yield
    finally:
        os.close(handle)
