"""Where files shared between processes lie: memory on Linux, the temporary folder elsewhere."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from ..errors import SonoramaError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


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
    memory = Path("/dev/shm")  # noqa: S108 (shared memory, files below carry the owner's pid)
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


def shared_path(name: str) -> Path:
    """The file of a frame map or ring called `name`: `<shared folder>/sonorama-<name>`."""
    return shared_folder() / f"sonorama-{check_name(name)}"


def inner_name(show: str) -> str:
    """Name of the frame map between a show's renderer and the show itself."""
    return f"{show}.inner"


def runtime_folder() -> Path:
    """The user's own folder for session files, made if needed, readable by nobody else."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    base = Path(given) if given and os.access(given, os.W_OK) else Path(tempfile.gettempdir())
    folder = base / ("sonorama" if given else f"sonorama-{os.getuid() if hasattr(os, 'getuid') else 'user'}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def process_lives(pid: int) -> bool:
    """Whether a process of that number is running (zombies do not count where /proc tells)."""
    if pid <= 0:
        return False
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            return stat.read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
        except OSError:
            return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
