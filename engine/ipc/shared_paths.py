"""Where files shared between processes lie, and which of them may be trusted.

Shared memory is a folder of all users (/dev/shm), or the temporary folder. So every file in it is made new under a name
that nobody can guess, readable by its user only (0600), and is opened only if it belongs to that user and is no link.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import tempfile
from pathlib import Path

import psutil

from ..errors import SonoramaError

PREFIX = "sonorama-"
"""Of the names of our files in shared memory."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_SAME_S = 2.0
"""Two readings of when one process began differ by less."""


class UnsafePath(SonoramaError):
    """A file or folder that another user controls, or could."""


def check_name(name: str) -> str:
    """A show's name, which becomes part of file names.

    Raises:
        SonoramaError: empty, too long or with other characters than letters, digits, `_`, `.` and `-`.

    """
    if not _NAME.fullmatch(name):
        raise SonoramaError(f"{name!r} cannot name a show", "Use up to 64 letters, digits, dots, dashes, underscores.")
    return name


def shared_folder() -> Path:
    """Shared memory where the system shows it as a folder, else the temporary folder."""
    memory = Path("/dev/shm")  # noqa: S108 (shared memory, its files are made and opened by the functions below)
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


def shared_path(name: str) -> Path:
    """The file of a frame map or ring called `name`: `<shared folder>/sonorama-<name>`."""
    return shared_folder() / f"{PREFIX}{check_name(name)}"


def inner_name(show: str) -> str:
    """Name of the frame map between a show's renderer and the show itself."""
    return f"{show}.inner"


def runtime_folder() -> Path:
    """The user's own folder for session files, made if needed: `sonorama-UID` in $XDG_RUNTIME_DIR if it can be written,
    else in the temporary folder. Raises as `own_folder`.
    """
    given = os.environ.get("XDG_RUNTIME_DIR")
    base = Path(given) if given and os.access(given, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
    return own_folder(base / f"sonorama-{user_number()}")


def user_number() -> str:
    """A part of file names that differs between users of a machine."""
    return str(os.getuid()) if hasattr(os, "getuid") else "user"


def own_folder(folder: Path) -> Path:
    """A folder of mode 0700 that belongs to this user, made if needed; a wider mode is narrowed.

    Raises:
        UnsafePath: something of that name is there that is a link, no folder, or another user's.
        OSError: it cannot be made.

    """
    with contextlib.suppress(FileExistsError):  # what is there is looked at below
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or not _is_ours(facts):
        raise _unsafe(folder, facts)
    if os.name == "posix" and stat.S_IMODE(facts.st_mode) != 0o700:
        folder.chmod(0o700)
    return folder


def _is_ours(facts: os.stat_result) -> bool:
    return os.name != "posix" or facts.st_uid == os.geteuid()


def other_user(path: Path) -> str:
    """The name of the other user whose file it is; empty if it is this user's, or there is none."""
    try:
        facts = path.lstat()
    except OSError:
        return ""
    return "" if _is_ours(facts) else _user(facts.st_uid)


def _user(number: int) -> str:
    try:
        import pwd

        return pwd.getpwuid(number).pw_name
    except (ImportError, KeyError):  # Windows; a user of another container
        return f"number {number}"


def _unsafe(path: Path, facts: os.stat_result) -> UnsafePath:
    if stat.S_ISLNK(facts.st_mode):
        why = "a link"
    elif not _is_ours(facts):
        why = f"of another user ({_user(facts.st_uid)})"
    else:
        why = "of another kind"
    return UnsafePath(
        f"{path} cannot be trusted: it is {why}", "Remove it, or set XDG_RUNTIME_DIR or TMPDIR elsewhere."
    )


# --- files


def part_of(path: Path) -> Path:
    """A name beside `path` that nobody can guess, for a file that is renamed to it when complete."""
    return path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")


def create_private(path: Path) -> int:
    """Make a new file that only this user can read and write (0600); a descriptor open for both.

    Raises:
        FileExistsError: something of that name is there, be it a link.
        OSError: no room, or not allowed.

    """
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)


def open_private(path: Path, writable: bool = False) -> int:
    """A descriptor of a file that belongs to this user.

    Raises:
        UnsafePath: it is a link, no file, or another user's.
        OSError: there is none, or it cannot be opened.

    """
    try:
        descriptor = os.open(path, (os.O_RDWR if writable else os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)) | _FLAGS)
    except OSError as error:
        if path.is_symlink():
            raise _unsafe(path, path.lstat()) from error
        raise
    facts = os.fstat(descriptor)
    if stat.S_ISREG(facts.st_mode) and _is_ours(facts):
        return descriptor
    os.close(descriptor)
    raise _unsafe(path, facts)


def read_private(path: Path) -> bytes:
    """What a file of this user holds. Raises as `open_private`."""
    with os.fdopen(open_private(path), "rb") as file:
        return file.read()


def write_private(path: Path, data: bytes) -> None:
    """Write a file of this user (0600), whole or not at all. It is not brought to the disk: a show does not outlive a
    power cut.

    Raises:
        OSError: it cannot be written; what was there stays.

    """
    part = part_of(path)
    try:
        with os.fdopen(create_private(part), "wb") as file:
            file.write(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def remove_private(path: Path) -> None:
    """Remove a file that a dead process of this user may have left.

    Raises:
        UnsafePath: it is another user's, and stays.

    """
    try:
        path.unlink(missing_ok=True)
    except PermissionError as error:
        raise _unsafe(path, path.lstat()) from error


# --- processes


def process_started(pid: int) -> float:
    """When a process began, in seconds after the system's start; 0 if that cannot be known.

    Together with the number this names one process: numbers are used again. Clocks may be set meanwhile.
    """
    try:
        return max(1e-3, psutil.Process(pid).create_time() - psutil.boot_time())
    except psutil.Error:
        return 0.0


def process_lives(pid: int, started: float = 0.0) -> bool:
    """Whether a process runs; one that has ended and was not waited for (a zombie) does not.

    Args:
        pid: its number.
        started: what `process_started` said of it once; 0 if that is not known.

    """
    if pid <= 0:
        return False
    try:
        if psutil.Process(pid).status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return False
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:  # another user's
        return True
    begun = process_started(pid)
    return not (started and begun) or abs(begun - started) < _SAME_S
