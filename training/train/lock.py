"""One training at a time in a work folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...engine.errors import InputError
from ...engine.files.lock import only_one

LOCK = "training.lock"


@contextmanager
def alone_in(work: Path) -> Iterator[None]:
    """Hold the folder while the block runs; the further processes of one training (`--devices`) pass.

    Raises:
        InputError: another training holds it.

    """
    if "LOCAL_RANK" in os.environ:
        yield
        return
    refused = InputError(f"Another process trains in {work}", "Wait for it, or give another --work.")
    with only_one(os.open(work / LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666), refused):
        yield
