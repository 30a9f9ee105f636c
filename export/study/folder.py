"""The folder of a study: what in it is ours, its record says (record.py); all else stays as it is.

* page/: index.html and the films. Participants need nothing else, and nothing in it says which model is which.
* key.json: which code is which model and sound, for the researcher.
* sonorama.files: the record, with size and hash of every file written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...engine.errors import InputError, OutputError
from ...engine.files.atomic import check_folder, translated
from ...engine.files.fingerprint import MADE_BY
from ...engine.files.record import Record
from .key import KEY, Key, read_key

PAGE = "page"
INDEX = "index.html"
_ANOTHER = "Choose another folder, or move this one away."


class StudyFolder:
    """The files of one study, each written whole and on record; made by `study_folder`."""

    def __init__(self, out: Path, record: Record) -> None:
        self.out = out
        self._record = record

    def path(self, file: str) -> Path:
        """Where a file of the page is."""
        return self.out / PAGE / file

    def whole(self, file: str) -> bool:
        """Whether a file of the page is there as it was written."""
        return self._record.whole(f"{PAGE}/{file}")

    def write(self, file: str, make: Callable[[Path], None]) -> None:
        """Write a file of the page, whole or not at all. `make` writes it into the path that it is given.

        Raises:
            OutputError: it cannot be written.

        """
        self._record.write(f"{PAGE}/{file}", make)

    def write_key(self, key: Key) -> None:
        """Write the key, unless it is there. Raises OutputError."""
        if not self._record.whole(KEY):
            self._record.write(KEY, lambda part: _write(part, key.encoded()))

    def write_page(self, page: bytes) -> None:
        """Write index.html, unless it is there as it would be written. Raises OutputError."""
        if not self.whole(INDEX) or self.path(INDEX).read_bytes() != page:
            self.write(INDEX, lambda part: _write(part, page))

    @property
    def set_aside(self) -> list[Path]:
        """What files that somebody had changed are called now."""
        return self._record.set_aside


@contextmanager
def study_folder(out: Path, key: Key) -> Iterator[StudyFolder]:
    """Open a folder for a study: a new one, an empty one, or one that holds the same study already.

    What is finished stays when the block is left early; if no film is, nothing of it is left behind.

    Raises:
        OutputError: the folder holds anything else, or cannot be written.

    """
    record = check_study(out, key)
    made = not out.exists()
    with translated(out):
        out.mkdir(exist_ok=True)
    try:
        check_folder(out, out)
        record.open()
        with translated(out / PAGE):
            (out / PAGE).mkdir(exist_ok=True)
        check_folder(out / PAGE, out)
        yield StudyFolder(out, record)
    finally:
        record.close()
        if not record.begun and not any(record.there(f"{PAGE}/{film}") for film in key.films):
            _remove(out, record, made)


def check_study(out: Path, key: Key) -> Record:
    """The record of a folder that this study may be written into; nothing is touched.

    Raises:
        OutputError: the folder holds something that is not on record, or another study.

    """
    if not out.parent.is_dir():
        raise OutputError(f"There is no folder {out.parent}", "Make it first, or choose another OUT.")
    if os.path.lexists(out) and not out.is_dir():
        raise OutputError(f"{out} is a file, a study needs a folder", "Choose another OUT.")
    record = Record(out)
    with translated(out):
        names = {path.name for path in out.iterdir()} if out.exists() else set()
    if not record.begun:
        if names:
            raise OutputError(f"{out} is not empty, and nothing says that it is a study of {MADE_BY}'s", _ANOTHER)
        return record
    _check_same(out, record, key)
    return record


def _check_same(out: Path, record: Record, key: Key) -> None:
    if (out / PAGE).is_symlink():
        raise OutputError(f"{out / PAGE} is a link", _ANOTHER)
    ours = [KEY, f"{PAGE}/{INDEX}", *(f"{PAGE}/{film}" for film in key.films)]
    foreign = [name for name in ours if record.there(name) and name not in record]
    if foreign:
        raise OutputError(f"{out} holds {foreign[0]}, which is not on its record", _ANOTHER)
    if not any(map(record.there, record.names)):
        return
    if not record.whole(KEY):
        raise OutputError(f"{out} may hold another study: {KEY} is not as it was written", _ANOTHER)
    try:
        changed = read_key(out / KEY).differences(key)
    except InputError as error:
        raise OutputError(f"{out} may hold another study: {error.message}", _ANOTHER) from error
    if changed:
        raise OutputError(f"{out} holds another study: {', '.join(changed)} differ", _ANOTHER)


def _write(part: Path, data: bytes) -> None:
    with translated(part):
        part.write_bytes(data)


def _remove(out: Path, record: Record, made: bool) -> None:
    with suppress(OSError):
        record.undo()
    with suppress(OSError):  # somebody else put a file into it
        (out / PAGE).rmdir()
    if made:
        with suppress(OSError):
            out.rmdir()
