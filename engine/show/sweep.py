"""Removes what shows that were killed left in shared memory, some 20 MB each.

A file is removed only if it says itself that it is a frame map or sample ring of a process that has ended. The state of
a renderer, a few kilobytes, stays for a day: `--resume` continues from it.
"""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from ..audio import sample_ring
from ..errors import SonoramaError
from ..ipc import frame_map
from ..ipc.shared_paths import PREFIX, inner_name, shared_folder
from ..pipeline.snapshot import read_state

QUIET_NS = 3_000_000_000
"""An owner in another container cannot be seen, but it writes every frame."""
STATE_S = 86_400.0
_SUFFIXES = (".samples", ".state", inner_name(""))


def sweep_shared_memory(but: str = "") -> list[str]:
    """Remove what dead shows of this user left behind; the names of those shows.

    Args:
        but: name of a show whose files stay, because it is about to take them over.

    """
    files = defaultdict[str, list[Path]](list)
    for path in sorted(shared_folder().glob(f"{PREFIX}*")):
        files[_show_of(path)].append(path)
    return [name for name, paths in files.items() if name != but and _sweep(paths)]


def _show_of(path: Path) -> str:
    name = path.name.removeprefix(PREFIX)
    return next((name.removesuffix(end) for end in _SUFFIXES if name.endswith(end)), name)


def _sweep(paths: Sequence[Path]) -> bool:
    """Remove the files of one show if none of them has an owner that lives; whether anything was removed."""
    owners = {path: _owner_lives(path) for path in paths}
    removed = False
    for path in paths if True not in owners.values() else ():
        with contextlib.suppress(OSError, SonoramaError):
            if owners[path] is False or _is_old_state(path):
                path.unlink()
                removed = True
    return removed


def _owner_lives(path: Path) -> bool | None:
    """None: it is neither a frame map nor a sample ring, or cannot be read."""
    with contextlib.suppress(OSError, ValueError):
        lives = frame_map.owner_lives(path, QUIET_NS)
        return sample_ring.owner_lives(path, QUIET_NS) if lives is None else lives
    return None


def _is_old_state(path: Path) -> bool:
    """Raises OSError, SonoramaError: it is no state, or cannot be read."""
    old = path.suffix == ".state" and time.time() - path.stat().st_mtime > STATE_S
    return old and bool(read_state(path))
