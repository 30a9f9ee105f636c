"""Where a film goes, checked before any work."""

from __future__ import annotations

from pathlib import Path

from ..engine.errors import OutputError
from ..engine.files.atomic import check_folder, write_replacing

__all__ = ["check_place", "write_replacing"]


def check_place(out: Path, sound: Path, sequence: bool) -> None:
    """Refuse an OUT that cannot be written, or that would replace what must not be replaced.

    Raises:
        OutputError: no such folder, not writable, a folder for a file or the reverse, the sound itself.

    """
    if not out.name:
        raise OutputError(f"{out} names no file", "Name the file, such as film.mp4.")
    if not out.parent.is_dir():
        raise OutputError(f"There is no folder {out.parent}", "Make it first, or choose another OUT.")
    if sequence and out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file, the sequence needs a folder", "Choose another OUT.")
    if not sequence and out.exists() and not out.is_file():
        raise OutputError(f"{out} is not a regular file", "Choose another OUT.")
    if not sequence and out.exists() and sound.exists() and out.samefile(sound):
        raise OutputError(f"{out} is the sound itself", "Choose another OUT.")
    check_folder(out if out.is_dir() else out.parent, out)
