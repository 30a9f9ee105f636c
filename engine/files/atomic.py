"""Whole files: written beside their final name, renamed when complete; and what goes wrong with that, in words."""

from __future__ import annotations

import errno
import itertools
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from av.error import FFmpegError

from ..errors import OutputError

try:
    import fcntl
except ImportError:  # Windows: a file that is open there cannot be renamed, so none is locked and none is swept
    fcntl = None

_PART = re.compile(r"\..*\.sonorama-[0-9a-f]{8}\.part")


def check_folder(folder: Path, out: Path) -> None:
    """Try whether a folder can be written, and sweep it. Raises OutputError that names `out` where it cannot."""
    with translated(out):
        probe = _part(folder / "writable")
        probe.touch()
        probe.unlink()
    sweep(folder)


def sweep(folder: Path) -> None:
    """Remove what killed processes of sonorama left half-written in a folder; what a live one writes is locked."""
    for path in [path for path in folder.iterdir() if _PART.fullmatch(path.name)]:
        with suppress(OSError):  # locked by a live process, or swept by a faster one
            _remove_unless_locked(path)


def _remove_unless_locked(path: Path) -> None:
    """Raises BlockingIOError where a process holds it, another OSError where the file system knows no locks."""
    if fcntl is not None:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """Give a hidden name beside `out`; a clean exit renames that file to `out`, any other removes it.

    Raises:
        OutputError: the file cannot be completed or renamed.

    """
    with translated(out):
        part, lock = _locked(out)
    try:
        yield part
        with translated(out):
            _to_disk(part)
            part.replace(out)
    finally:
        part.unlink(missing_ok=True)
        if lock is not None:
            os.close(lock)


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


def names_after(out: Path) -> Iterator[Path]:
    """`out`, then the same with -2, -3 ... before its suffix: for what must never replace a file."""
    yield out
    for number in itertools.count(2):
        yield out.with_name(f"{out.stem}-{number}{out.suffix}")


def _part(out: Path) -> Path:
    # A long name cut short: the hidden one must fit into 255 bytes as well.
    name = out.name if len(out.name.encode()) < 200 else out.name[:60]
    return out.with_name(f".{name}.sonorama-{secrets.token_hex(4)}.part")


def _locked(out: Path) -> tuple[Path, int | None]:
    """A hidden name and, where there are locks, a handle that holds one until it is closed or the process dies."""
    if fcntl is None:
        return _part(out), None
    while True:
        part = _part(out)
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return part, handle
        os.close(handle)  # swept between its making and its lock


def _to_disk(part: Path) -> None:
    """Without this a crash after the rename may leave an empty file under the final name."""
    handle = os.open(part, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
