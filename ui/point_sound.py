"""Sound files for points of the blend surface: dropped on it, or chosen in a dialog; copied into the user's sound
folder, since the show opens no path that it is sent.
"""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QMimeDatabase
from PyQt6.QtWidgets import QFileDialog, QWidget

from sonorama.engine.control.addresses import blend
from sonorama.engine.errors import InputError, SonoramaError, one_line
from sonorama.engine.files.folders import sounds_folder

from .kept_files import keep_file
from .link import Link
from .widgets.controls import PushButton

_ALSO = ("application/ogg", "application/mxf", "application/vnd.rn-realmedia")
"""Types of files with sound whose names do not say so."""


def keep_sound(path: Path) -> str:
    """Copy a sound or video file into the user's sound folder under a name that holds its hash; returns that name.

    Whether it really holds sound, the show finds out.

    Raises:
        InputError: a file of another type, or too large.
        OutputError: the folder cannot be written.

    """
    kind = QMimeDatabase().mimeTypeForFile(str(path)).name()
    if not kind.startswith(("audio/", "video/")) and kind not in _ALSO:
        raise InputError(f"{one_line(path.name)} is no sound", "Choose a sound, such as a .wav or .mp3 file")
    return keep_file(path, sounds_folder(), "sound", "SONORAMA_SOUNDS")


def put_sound(link: Link, point: int, path: Path) -> None:
    """Have the show find a seed for a sound file, for a point by its number from 1. What is wrong is said."""
    try:
        link.post(blend(point, "sound"), keep_sound(path))
    except SonoramaError as error:
        link.fault.emit(f"{error.message}. {error.hint}")


class SoundButton(PushButton):
    """A button that opens a dialog for the sound file of a point; the panel goes on meanwhile."""

    def __init__(self, link: Link, point: int, parent: QWidget | None = None) -> None:
        super().__init__("\u2026", parent)
        self._link, self._point = link, point
        self.setAccessibleName(f"choose a sound file for point {point}")
        self.setToolTip("Choose a sound file: the point gets the picture that fits it. Or drop one on the surface")
        self.clicked.connect(self._choose)

    def _choose(self) -> None:
        dialog = QFileDialog(self, f"Sound for point {self._point}")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: put_sound(self._link, self._point, Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
