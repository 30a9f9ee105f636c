"""Whole files: written beside their final name, renamed when complete; and what goes wrong with that, in words."""

from __future__ import annotations

import errno
import itertools
import json
import os
import platform
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import OutputError

try:
    import fcntl
except ImportError:  # Windows: nothing is locked and nothing is swept
    fcntl = None

_CLAIM = re.compile(r"\.sonorama-([0-9a-f]{32})\.claim")


def check_folder(folder: Path, out: Path) -> None:
    """Try whether a folder can be written, and sweep it. Raises OutputError that names `out` where it cannot."""
    with translated(out):
        probe = folder / f".sonorama-{secrets.token_hex(16)}.probe"
        try:
            os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            probe.unlink()
        finally:
            probe.unlink(missing_ok=True)
    sweep(folder)


def sweep(folder: Path) -> None:
    """Remove the part files that killed processes of sonorama left in a folder.

    A part file is removed because a claim beside it says that it is one (see `_Part`), never because of its name. The
    claims of live processes are locked; those of other machines stay, since a lock may not reach that far.
    """
    for path in [path for path in folder.iterdir() if _CLAIM.fullmatch(path.name)]:
        with suppress(OSError):  # locked by a live process, or swept by a faster one
            _sweep_claimed(path)


def _sweep_claimed(claim: Path) -> None:
    """Raises BlockingIOError where a process holds it, another OSError where the file system knows no locks."""
    if fcntl is None or not stat.S_ISREG(claim.lstat().st_mode):
        return
    with claim.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        part = _claimed(claim, file.read(4096))
        if part is None:
            return
        with suppress(FileNotFoundError):
            if stat.S_ISREG(part.lstat().st_mode):
                part.unlink()
        claim.unlink()


def _claimed(claim: Path, content: bytes) -> Path | None:
    """The part file that a claim of this machine names; None where the file is something else."""
    try:
        told = json.loads(content)
        part = claim.with_name(told["part"])
    except (ValueError, LookupError, TypeError):
        return None
    return part if content == _claim(part) and part.name.endswith(f"{claim.stem}.part") else None


def _claim(part: Path) -> bytes:
    return json.dumps({"made_by": "sonorama", "host": platform.node(), "part": part.name}).encode()


@contextmanager
def replacing(out: Path, *, new: bool = False, keep: bool = False) -> Iterator[Path]:
    """Give a hidden name beside `out`; a clean exit renames that file to `out`, any other removes it.

    Args:
        out: the final name.
        new: never replace a file: one that is there, or comes meanwhile, is an error.
        keep: what cannot take the name `out` then becomes OUT-2, OUT-3 ... instead of being removed.

    Raises:
        OutputError: the file cannot be completed or renamed.

    """
    if new and not keep and os.path.lexists(out):
        raise OutputError(f"{out} is there already", "Choose another name, or move it away.")
    with temporary(out) as part:
        yield part
        with translated(out):
            to_disk(part)
            if new:
                _rename_to_new(part, out, keep=keep)
            else:
                part.replace(out)


def _rename_to_new(part: Path, out: Path, *, keep: bool) -> None:
    try:
        rename_new(part, out)
    except FileExistsError as error:
        message = f"{out} was put there by another program meanwhile, and stays as it is"
        if not keep:
            raise OutputError(message, "Move it away, then run it again.") from error
        for other in names_after(out):
            with suppress(FileExistsError):
                rename_new(part, other)
                raise OutputError(message, f"What was written is {other}.") from error


def rename_new(part: Path, out: Path) -> None:
    """Rename a file to a name that is free. Raises FileExistsError where it is not, and OSError."""
    if os.name == "nt":
        part.rename(out)  # which replaces nothing there
        return
    try:
        os.link(part, out)
    except FileExistsError:
        raise
    except OSError as error:  # a file system without links, such as exFAT
        if os.path.lexists(out):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(out)) from error
        part.rename(out)
        return
    part.unlink()


def _errors_of_writing() -> tuple[type[OSError], ...]:
    """OSError, and FFmpeg's own, with the same members, where it is loaded: not every machine has it."""
    loaded = sys.modules.get("av.error")
    return (OSError,) if loaded is None else (OSError, loaded.FFmpegError)


@contextmanager
def translated(out: Path) -> Iterator[None]:
    """Turn the errors of writing into an OutputError that says what to do."""
    try:
        yield
    except BrokenPipeError:  # of a pipe that a film is written into: its reader has left
        raise
    except _errors_of_writing() as error:
        if error.errno == errno.ENOSPC:
            raise OutputError(f"The disk is full: {out} was not written", "Make room, then run it again.") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise OutputError(f"{out} may not be written: {error.strerror}", "Choose another OUT.") from error
        hint = "Choose a shorter name." if error.errno == errno.ENAMETOOLONG else "Choose another OUT."
        raise OutputError(f"{out} could not be written: {error.strerror or error}", hint) from error


@contextmanager
def tensors_into(out: Path) -> Iterator[None]:
    """`translated` for what safetensors writes, whose errors are those of the system in other words."""
    from safetensors import SafetensorError

    with translated(out):
        try:
            yield
        except SafetensorError as error:
            number = re.search(r"os error (\d+)", str(error))
            if number is None:
                raise
            raise OSError(int(number[1]), os.strerror(int(number[1]))) from error


def write_bytes(out: Path, data: bytes, *, new: bool = False) -> None:
    """Write a whole file atomically; `new` as in `replacing`.

    Raises:
        OutputError: it cannot be written.

    """
    with replacing(out, new=new) as part, translated(out):
        part.write_bytes(data)


def names_after(out: Path) -> Iterator[Path]:
    """`out`, then the same with -2, -3 ... before its suffix: for what must never replace a file."""
    yield out
    for number in itertools.count(2):
        yield out.with_name(f"{out.stem}-{number}{out.suffix}")


@contextmanager
def temporary(out: Path) -> Iterator[Path]:
    """Give a hidden name beside `out` for a file that is needed until the end of the block.

    Raises:
        OutputError: the file cannot be made.

    """
    part = _Part(out)
    try:  # twice: a signal that ends the program is raised once, but perhaps in the middle of the first cleaning
        try:
            with translated(out):
                part.make()
            yield part.path
        finally:
            part.let_go()
    finally:
        part.let_go()


class _Part:
    """A hidden file beside `out`, claimed as ours and nobody else's.

    The claim is a second hidden file that names the part file, made before it. It is locked until `let_go` or the end
    of the process, so that another process can tell what was left behind from what is being written.

    Args:
        out: whose place the file will take. Nothing is made before `make`.

    """

    def __init__(self, out: Path) -> None:
        token = secrets.token_hex(16)
        # All of it must fit into 255 bytes (143 where names are encrypted); whole characters, as some disks ask for.
        begin = os.fsencode(out.name)[:80].decode(sys.getfilesystemencoding(), "ignore")
        self.path = out.with_name(f".{begin}.sonorama-{token}.part")
        self._claim = out.with_name(f".sonorama-{token}.claim")
        self._lock: int | None = None

    def make(self) -> None:
        """Make the claim, locked, and the empty file; `let_go` cleans up whatever this leaves. Raises OSError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
        self._lock = os.open(self._claim, flags, 0o666)
        if fcntl is not None:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(self._lock, fcntl.LOCK_EX)
        os.write(self._lock, _claim(self.path))  # nothing is said in it before it is locked: no sweep takes it for one
        os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))

    def let_go(self) -> None:
        """Remove the part file, if it is still there, and its claim. May be called again."""
        _remove(self.path)
        if fcntl is None:  # Windows removes no file that is open
            self._close()
        _remove(self._claim)
        self._close()

    def _close(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        if error.errno != errno.EROFS:  # on a disk that cannot be written nothing was made
            raise


def to_disk(part: Path) -> None:
    """Bring a file to the disk: without this a crash after the rename may leave an empty one under the final name."""
    handle = os.open(part, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
