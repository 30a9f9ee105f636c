"""Photos dropped on the preview: copied into the user's photo folder, since the show opens no path that it is sent."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from PyQt6.QtCore import QMimeData
from PyQt6.QtGui import QImageReader

from sonorama.engine.errors import InputError, OutputError, one_line
from sonorama.engine.files.atomic import write_bytes
from sonorama.engine.files.folders import photos_folder

LARGEST = 64 << 20
"""Bytes of a photo."""


def dropped_file(data: QMimeData | None) -> Path | None:
    """The file that is dropped; None for several, for folders and for what is no file."""
    urls = data.urls() if data is not None and data.hasUrls() else []
    path = Path(urls[0].toLocalFile()) if len(urls) == 1 and urls[0].isLocalFile() else None
    return path if path is not None and path.is_file() else None


def keep_photo(path: Path) -> str:
    """Copy a photo into the user's photo folder under a name that holds its hash; returns that name.

    Raises:
        InputError: no picture that Qt knows, or too large.
        OutputError: the folder cannot be written.

    """
    if QImageReader.imageFormat(str(path)).isEmpty():
        raise InputError(f"{one_line(path.name)} is no photo", "Drop a photo, such as a .jpg or .png file")
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{one_line(path.name)} is larger than 64 MB", "Drop a smaller photo")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{one_line(path.name)} cannot be read: {error.strerror}", "Drop another photo") from error
    slug = re.sub(r"[^a-z0-9]+", "_", path.stem.lower()).strip("_")[:24] or "photo"
    name = f"{slug}-{hashlib.sha256(data).hexdigest()[:8]}{path.suffix.lower()}"
    kept = photos_folder() / name
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"The photo folder cannot be made: {error.strerror or error}"
        raise OutputError(message, f"Allow writing in {kept.parent}, or set SONORAMA_PHOTOS") from error
    if not kept.exists():
        write_bytes(kept, data)
    return name
