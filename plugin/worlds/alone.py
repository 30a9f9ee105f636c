"""One import of a world at a time: a lock in the cache folder, which ends with its process."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sonorama.engine.errors import OutputError
from sonorama.engine.files.folders import cache_folder
from sonorama.engine.files.lock import only_one


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Make sure that no other process writes the same world during the block.

    Where nothing can be locked, such as in a cache folder that may not be written, the block runs unguarded.

    Raises:
        OutputError: another process does.

    """
    if (handle := _opened(out)) is None:
        yield
        return
    message = f"{out} is being imported by another process"
    with only_one(handle, OutputError(message, "Wait for it, or give another name with --world.")):
        yield


def _opened(out: Path) -> int | None:
    name = hashlib.sha256(os.fsencode(out.absolute())).hexdigest()[:32]
    try:
        folder = cache_folder() / "imports"
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None
