"""What sonorama wrote into a folder of pictures or graphs: `sonorama.files`, a JSON line a file, its size and hash.

A file of the folder is ours if it is on record and still is what the record says. The line is on the disk before the
file has its name, so that a crash at any moment leaves no file of ours without one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import OutputError
from .atomic import names_after, rename_new, replacing, translated
from .fingerprint import MADE_BY, fingerprint, matches
from .lock import lock

FILES = "sonorama.files"
_HEAD = {"made_by": MADE_BY, "record_of": "the files of this folder, as they were written"}


class Record:
    """The record of one folder, and the way to write into it.

    Args:
        folder: need not be there.

    Attributes:
        set_aside: names that changed files of ours were given, so that they could be written again.

    Raises:
        OutputError: a file of that name is no record.

    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / FILES
        self._file: BinaryIO | None = None
        self._told: dict[str, Mapping[str, Any]] = {}
        self._before: dict[str, list[Mapping[str, Any]]] = {}
        self._length = self._size = 0  # of the whole lines, and of all that was read
        self.set_aside: list[Path] = []
        self.begun = os.path.lexists(self._path)
        """Whether there was one before."""
        if self.begun:
            self._read()

    def _read(self) -> None:
        refused = OutputError(
            f"{self._path} is no record of sonorama's", "Choose another folder, or move that file away."
        )
        try:
            if self._path.is_symlink():
                raise refused
            data = self._path.read_bytes()
            self._size = len(data)
            data = data[: data.rfind(b"\n") + 1]  # a last line that a crash has cut: its file has no name yet
            head, *lines = [json.loads(line) for line in data.splitlines()] or [None]
            for line in lines:
                self._tell(str(line["name"]), line)
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            raise refused from error
        if head != _HEAD:
            raise refused
        self._length = len(data)

    def _tell(self, name: str, told: Mapping[str, Any]) -> None:
        if name in self._told:
            self._before.setdefault(name, []).append(self._told[name])
        self._told[name] = told

    def __contains__(self, name: str) -> bool:
        return name in self._told

    def there(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return os.path.lexists(self._folder / name)

    def whole(self, name: str) -> bool:
        """Whether a file is there as it was written."""
        return matches(self._folder / name, self._told.get(name))

    def whole_or_before(self, name: str) -> bool:
        """Whether a file that is written again is there as it was written at last, or, since a crash may come between
        the line and the name, as it was a time before.
        """
        return self.whole(name) or any(matches(self._folder / name, told) for told in self._before.get(name, ()))

    @property
    def names(self) -> list[str]:
        """Everything on record, in the order in which it was begun."""
        return [*self._told]

    def open(self) -> None:
        """Begin or continue it.

        Raises:
            OutputError: it cannot be written, or another process writes it.

        """
        with translated(self._path):
            self._file = self._path.open("r+b" if self.begun else "xb", buffering=0)
            self._lock(self._file)
            self._file.truncate(self._length)
            self._file.seek(self._length)
        if not self._length:
            self._append(_HEAD)

    def _lock(self, file: BinaryIO) -> None:
        busy = OutputError(f"Another process writes into {self._folder}", "Wait for it, or choose another folder.")
        # Its size is what it was when the record was read, unless somebody has written meanwhile.
        if not lock(file.fileno()) or os.fstat(file.fileno()).st_size != self._size:
            raise busy

    def write(self, name: str, make: Callable[[Path], None]) -> None:
        """Write a file of the folder, whole or not at all, on record.

        One of ours is replaced if it still is what the record says. Otherwise it may be somebody's work: it is
        kept under another name, unless it is a mere beginning of what is written now.

        Args:
            name: of the file.
            make: writes it into the path that it is given.

        Raises:
            OutputError: it cannot be written, or a file that is not on record has that name.

        """
        path = self._folder / name
        with replacing(path, new=name not in self._told) as part:
            make(part)
            with translated(path):
                if name in self._told and os.path.lexists(path) and not self._replaceable(name, part):
                    self._keep(path)
                told = {"name": name, **fingerprint(part)}
            self._append(told)
            self._tell(name, told)

    def _replaceable(self, name: str, part: Path) -> bool:
        """Whether nothing of the user's is lost when `part` takes the place of a file on record."""
        return self.whole_or_before(name) or _begins(self._folder / name, part)

    def _keep(self, path: Path) -> None:
        for other in names_after(path.with_name(f"{path.name}.changed")):
            with suppress(FileExistsError):
                rename_new(path, other)
                self.set_aside.append(other)
                return

    def _append(self, line: Mapping[str, Any]) -> None:
        assert self._file is not None  # noqa: S101 (between `open` and `close`)
        with translated(self._path):
            data = json.dumps(line).encode() + b"\n"
            while data:
                data = data[self._file.write(data) :]
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """End it; may be called twice, and without `open`."""
        if self._file is not None:
            self._file.close()

    def undo(self) -> None:
        """Remove every file that is still as it was written, and the record. Raises OSError."""
        if self._file is None:
            return
        self.remove(self.names)
        self._path.unlink()

    def remove(self, names: Iterable[str]) -> None:
        """Remove those of these files that are still as they were written. Raises OSError."""
        for name in names:
            if self.whole(name):
                (self._folder / name).unlink()


def _begins(path: Path, whole: Path) -> bool:
    """Whether a file is a beginning of another one: nothing of it is lost with it."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as short, whole.open("rb") as long:
        while block := short.read(1 << 20):
            if long.read(len(block)) != block:
                return False
    return True
