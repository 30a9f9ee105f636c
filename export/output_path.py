"""Where a film goes, checked before any work."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..engine.errors import OutputError
from ..engine.files.atomic import check_folder, translated

STDOUT = Path("-")
"""Stands for standard output where a job says that it streams."""


def check_place(out: Path, sound: Path, sequence: bool) -> None:
    """Refuse an OUT that cannot be written; whose it is what lies there, sidecar.py and record.py say.

    Raises:
        OutputError: no such folder, not writable, a folder for a file or the reverse, the sound itself.

    """
    if not out.name:
        raise OutputError(f"{out} names no file", "Name the file, such as film.mp4.")
    if not out.parent.is_dir():
        raise OutputError(f"There is no folder {out.parent}", "Make it first, or choose another OUT.")
    if sequence and out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file, the sequence needs a folder", "Choose another OUT.")
    if not sequence and os.path.lexists(out) and not out.is_file():
        raise OutputError(f"{out} is not a regular file", "Choose another OUT.")
    if not sequence and out.exists() and sound.exists() and out.samefile(sound):
        raise OutputError(f"{out} is the sound itself", "Choose another OUT.")
    check_folder(out if out.is_dir() else out.parent, out)


def make_folder(folder: Path) -> None:
    """Make the folder of several films, if it is not there; not the folders above it.

    Raises:
        OutputError: it cannot be made or written, or is a file.

    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, not a folder", "Choose another OUT.")
    if not folder.parent.is_dir():
        raise OutputError(f"There is no folder {folder.parent}", "Make it first, or choose another OUT.")
    with translated(folder):
        folder.mkdir(exist_ok=True)
    check_folder(folder, folder)


def check_stdout() -> None:
    """Refuse to write a film into a terminal.

    Raises:
        OutputError: standard output is one, or it is closed.

    """
    try:
        terminal = os.isatty(1)
        os.fstat(1)
    except OSError as error:
        raise OutputError("Standard output is closed", "Pipe it into a program: sonorama render ... | mpv -") from error
    if terminal:
        raise OutputError("A film is nothing to read: standard output is a terminal",
            "Pipe it into a program, such as: sonorama render ... -o - | mpv -")  # fmt: skip


@contextmanager
def piped() -> Iterator[str]:
    """Standard output for one film: FFmpeg's name of it. What else is written there meanwhile goes to stderr."""
    sys.stdout.flush()
    with translated(STDOUT):
        film = os.dup(1)
        os.dup2(2, 1)
    try:
        yield f"pipe:{film}"
    finally:
        sys.stdout.flush()
        os.dup2(film, 1)
        os.close(film)
