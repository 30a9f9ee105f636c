"""Where output goes: checked before any work, written beside its final name, renamed when complete."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from av.error import FFmpegError

from ..engine.errors import OutputError


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
    folder = out if out.is_dir() else out.parent
    with translated(out):
        probe = _part(folder / "writable")
        probe.touch()
        probe.unlink()


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """Give a hidden name beside `out`; a clean exit renames that file to `out`, any other removes it.

    Raises:
        OutputError: the file cannot be completed or renamed.

    """
    part = _part(out)
    try:
        yield part
        with translated(out):
            _to_disk(part)
            part.replace(out)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def translated(out: Path) -> Iterator[None]:
    """Turn the errors of writing into an OutputError that says what to do."""
    try:
        yield
    except (OSError, FFmpegError) as error:
        if error.errno == errno.ENOSPC:
            raise OutputError(f"The disk is full: {out} was not written", "Make room, then run it again.") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise OutputError(f"{out} may not be written: {error.strerror}", "Choose another OUT.") from error
        raise OutputError(f"{out} could not be written: {error.strerror or error}", "Choose another OUT.") from error


@contextmanager
def write_replacing(out: Path, data: bytes) -> Iterator[None]:
    """Write `data` beside `out` now, and rename it to `out` when the block is left cleanly."""
    with replacing(out) as part:
        with translated(out):
            part.write_bytes(data)
        yield


def write_bytes(out: Path, data: bytes) -> None:
    """Write a whole file atomically.

    Raises:
        OutputError: it cannot be written.

    """
    with write_replacing(out, data):
        pass


def _part(out: Path) -> Path:
    # A long name cut short: the hidden one must fit into 255 bytes as well.
    name = out.name if len(out.name.encode()) < 200 else out.name[:60]
    return out.with_name(f".{name}.part-{secrets.token_hex(4)}")


def _to_disk(part: Path) -> None:
    """Without this a crash after the rename may leave an empty file under the final name."""
    handle = os.open(part, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
