"""Files of the user's that are copied into a folder of the program, since the show opens no path that it is sent."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from PyQt6.QtGui import QDropEvent

from sonorama.engine.errors import InputError, OutputError, one_line
from sonorama.engine.files.atomic import write_bytes

LARGEST = 64 << 20
"""Bytes of a file."""


def accept_file(event: QDropEvent | None) -> Path | None:
    """Accept one file that is dragged over a widget or dropped on it; None for several, for folders and for what is no
    file.
    """
    data = event.mimeData() if event is not None else None
    urls = data.urls() if data is not None and data.hasUrls() else []
    path = Path(urls[0].toLocalFile()) if len(urls) == 1 and urls[0].isLocalFile() else None
    if event is None or path is None or not path.is_file():
        return None
    event.acceptProposedAction()
    return path


def keep_file(path: Path, folder: Path, what: str, variable: str) -> str:
    """Copy a file into a folder under a name that holds its hash; returns that name.

    Args:
        path: of the file.
        folder: of the user's; made if it is not there.
        what: the file is: `photo` or `sound`.
        variable: of the environment, which names another folder.

    Raises:
        InputError: it cannot be read, or is larger than 64 MB.
        OutputError: the folder cannot be written.

    """
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{one_line(path.name)} is larger than 64 MB", f"Choose a smaller {what}")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{one_line(path.name)} cannot be read: {error.strerror}", f"Choose another {what}") from error
    slug = re.sub(r"[^a-z0-9]+", "_", path.stem.lower()).strip("_")[:24] or what
    name = f"{slug}-{hashlib.sha256(data).hexdigest()[:8]}{path.suffix.lower()}"
    kept = folder / name
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"The {what} folder cannot be made: {error.strerror or error}"
        raise OutputError(message, f"Allow writing in {kept.parent}, or set {variable}") from error
    if not kept.exists():
        write_bytes(kept, data)
    return name
