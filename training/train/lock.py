"""One training at a time in a work folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...engine.errors import InputError

if sys.platform != "win32":
    import fcntl
else:
    fcntl = None

LOCK = "training.lock"


@contextmanager
def alone_in(work: Path) -> Iterator[None]:
    """Hold the folder while the block runs; the further processes of one training (`--devices`) pass.

    Raises:
        InputError: another training holds it.

    """
    if fcntl is None or "LOCAL_RANK" in os.environ:
        yield
        return
    with (work / LOCK).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"Another process trains in {work}", "Wait for it, or give another --work.") from error
        except OSError:  # a file system without locks
            pass
        yield
