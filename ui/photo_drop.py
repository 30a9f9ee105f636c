"""Photos dropped on the preview: copied into the user's photo folder, since the show opens no path that it is sent."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtGui import QImageReader

from sonorama.engine.errors import InputError, one_line
from sonorama.engine.files.folders import photos_folder

from .kept_files import keep_file


def keep_photo(path: Path) -> str:
    """Copy a photo into the user's photo folder under a name that holds its hash; returns that name.

    Raises:
        InputError: no picture that Qt knows, or too large.
        OutputError: the folder cannot be written.

    """
    if QImageReader.imageFormat(str(path)).isEmpty():
        raise InputError(f"{one_line(path.name)} is no photo", "Drop a photo, such as a .jpg or .png file")
    return keep_file(path, photos_folder(), "photo", "SONORAMA_PHOTOS")
