"""Which files of a watched folder are whole: nobody writes into them any more, as far as that can be told."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_ENDINGS = ("part", "partial", "filepart", "crdownload", "download", "opdownload", "tmp", "temp", "aria2", "!ut", "!qb")
UNFINISHED = tuple(f".{ending}" for ending in _ENDINGS)
"""Suffixes of files that browsers and copying programs still write."""
COMPANIONS = (".asd", ".pek", ".pkf", ".cfa", ".reapeaks", ".sfk", ".xmp", ".json", ".ini", ".db")
"""Suffixes of what audio and video programs put beside sounds; no sound is in them."""
_FDS = Path("/proc")


class Signature(NamedTuple):
    """By which a change of a file is seen: size in bytes, time of the last change in ns, number of the inode."""

    size: int
    changed: int
    inode: int


def signature(path: Path) -> Signature:
    """The signature of a file. Raises OSError."""
    facts = path.stat()
    return Signature(facts.st_size, facts.st_mtime_ns, facts.st_ino)


class WholeFiles:
    """The files of one folder, as they become whole; those that were handled are left out until they change.

    A file is whole when its size and time have stayed the same for `settle` seconds, it is not empty, no process that
    may be looked into has it open for writing (on Linux), and no file beside it says that it is being downloaded.
    Hidden files, temporary names (UNFINISHED) and COMPANIONS are ignored.

    Args:
        folder: not the folders in it.
        settle: seconds.
        clock: monotonic seconds.

    """

    def __init__(self, folder: Path, settle: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._settle, self._clock = folder, settle, clock
        self._seen: dict[str, tuple[Signature, float]] = {}  # since when a file has been as it is
        self._handled: dict[str, Signature] = {}

    def look(self) -> list[tuple[Path, Signature]]:
        """The files that are whole and not handled, the oldest first. Raises OSError: the folder cannot be read."""
        now, files = self._clock(), self._files()
        before, self._seen = self._seen, {}
        for name, found in files.items():
            same = name in before and before[name][0] == found
            self._seen[name] = (found, before[name][1] if same else now)
        settled = [name for name, (found, since) in self._seen.items() if found.size and now - since >= self._settle]
        paths = [self._folder / name for name in sorted(settled, key=lambda name: (files[name].changed, name))]
        writing = open_for_writing(paths)
        return [(path, files[path.name]) for path in paths if path not in writing]

    def waiting(self) -> list[tuple[Path, Signature]]:
        """What `look` saw last that is not handled."""
        return [(self._folder / name, found) for name, (found, _) in self._seen.items() if name not in self._handled]

    def handled(self, path: Path, as_it_was: Signature) -> None:
        """Leave a file out as long as it stays as it was."""
        self._handled[path.name] = as_it_was

    def _files(self) -> dict[str, Signature]:
        with os.scandir(self._folder) as entries:
            names = {entry.name for entry in entries}
        files: dict[str, Signature] = {}
        for name in names:
            if is_sound_name(name) and not any(f"{name}{suffix}" in names for suffix in UNFINISHED):
                with suppress(OSError):  # gone meanwhile, or not ours to read
                    path = self._folder / name
                    if path.is_file():
                        files[name] = signature(path)
        self._handled = {name: found for name, found in self._handled.items() if files.get(name) == found}
        return {name: found for name, found in files.items() if name not in self._handled}


def is_sound_name(name: str) -> bool:
    """Whether a file of this name may be a whole sound."""
    return not name.startswith((".", "~")) and not name.lower().endswith(("~", *UNFINISHED, *COMPANIONS))


def open_for_writing(paths: Iterable[Path]) -> set[Path]:
    """Those of some files that a process has open for writing, as far as /proc tells; none on other systems."""
    wanted: dict[tuple[int, int], Path] = {}
    for path in paths:
        with suppress(OSError):
            facts = path.stat()
            wanted[facts.st_dev, facts.st_ino] = path
    names = {path.resolve().name for path in wanted.values()}
    found: set[Path] = set()
    for fd in _open_files() if wanted else ():
        with suppress(OSError, ValueError):  # the process has ended, or closed it
            if fd.readlink().name in names and _writes(fd):
                facts = fd.stat()
                found.add(wanted.get((facts.st_dev, facts.st_ino), fd))
    return found.intersection(wanted.values())


def _open_files() -> Iterator[Path]:
    with suppress(OSError):  # no /proc
        for process in _FDS.iterdir():
            if process.name.isdecimal():
                with suppress(OSError):  # somebody else's, or it has ended
                    yield from (process / "fd").iterdir()


def _writes(fd: Path) -> bool:
    told = (fd.parent.parent / "fdinfo" / fd.name).read_text()
    flags = int(told.split("flags:", 1)[1].split(None, 1)[0], 8)
    return flags & os.O_ACCMODE != os.O_RDONLY
