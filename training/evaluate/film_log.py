"""`films.jsonl` of an evaluation: a line for every film that was measured, so that one that was stopped goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ...engine.errors import OutputError
from ...engine.files.atomic import translated
from ...engine.files.lock import lock

if TYPE_CHECKING:
    from .films import Row

FILE = "films.jsonl"
_ANOTHER = "Choose another folder with -o."
_WAIT = "Wait for it, or choose another folder with -o."


class FilmLog:
    """Films of an evaluation that are measured already, in its folder.

    The first line says what was asked for; only the same question goes on in the folder, and one process at a time.

    Args:
        folder: of the evaluation; made by `begin`.
        asked: everything that figures depend on, as JSON has it.

    Attributes:
        rows: the films there are.

    """

    def __init__(self, folder: Path, asked: Mapping[str, Any]) -> None:
        self.path, self.asked = folder / FILE, json.loads(json.dumps(asked))
        self.rows: list[Row] = []
        self._file: BinaryIO | None = None
        self._made = self._made_folder = False

    def find(self) -> None:
        """Go on in the folder of an evaluation that was stopped, or has ended; its films are read.

        Raises:
            OutputError: it is of another question, or no evaluation; another process writes into it.

        """
        refused = OutputError(f"{self.path.parent} is there already, and is no evaluation", _ANOTHER)
        try:
            with translated(self.path):
                file = self.path.open("r+b")
        except OutputError as error:
            raise (error if self.path.is_file() else refused) from error
        try:
            if not lock(file.fileno()):
                raise OutputError(f"Another process writes into {self.path.parent}", _WAIT)
            if (told := _asked(file)) is None:
                raise refused
            if changed := differences(told, self.asked):
                raise OutputError(f"{self.path.parent} is of another question: {', '.join(changed)} differ", _ANOTHER)
            with translated(self.path):
                self._read(file)
        except BaseException:
            file.close()
            raise
        self._file = file

    def _read(self, file: BinaryIO) -> None:
        """Read whole lines. From the first cut or damaged line on, films are measured again."""
        end = file.tell()
        try:
            while (line := file.readline()).endswith(b"\n"):
                self.rows.append(_row(json.loads(line)))
                end = file.tell()
        except ValueError:
            pass
        file.truncate(end)
        file.seek(end)

    def begin(self) -> None:
        """Make the folder, and the file with what is asked for.

        Raises:
            OutputError: they cannot be written, or another process was quicker.

        """
        with translated(self.path):
            self._made_folder = not self.path.parent.exists()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._file = self.path.open("xb")
            except FileExistsError as error:
                raise OutputError(f"Another process writes into {self.path.parent}", _WAIT) from error
            try:
                if not lock(self._file.fileno()):
                    raise OutputError(f"Another process writes into {self.path.parent}", _WAIT)
                self._made = True
                self._write(self.asked)
            except BaseException:
                self.close()
                raise

    def add(self, row: Row) -> None:
        """Write a film down. OutputError where that cannot be."""
        with translated(self.path):
            self._write(_told(row))
        self.rows.append(row)

    def _write(self, what: Mapping[str, Any]) -> None:
        assert self._file is not None  # noqa: S101
        self._file.write(_line(what))
        self._file.flush()

    def close(self) -> None:
        """Let another process have the folder; one without a film is removed if it was made here."""
        if self._file is None:
            return
        if empty := self._made and not self.rows:
            with suppress(OSError):  # while nobody else can take it up
                self.path.unlink()
        with suppress(OSError):
            self._file.close()
        if empty and self._made_folder:
            with suppress(OSError):
                self.path.parent.rmdir()


def check_folder(folder: Path) -> None:
    """OutputError, before any work: what is there is no evaluation."""
    if os.path.lexists(folder) and not (folder / FILE).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder} is there already, and is no evaluation", _ANOTHER)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Names of what two questions differ in."""
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _asked(file: BinaryIO) -> dict[str, Any] | None:
    """What the first line asks for; None if it is none."""
    try:
        told = json.loads(file.readline())
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _line(what: Mapping[str, Any]) -> bytes:
    return json.dumps(what).encode() + b"\n"


TENSORS = ("descriptor", "i3d")


def _told(row: Row) -> dict[str, Any]:
    lists = {k: v if (v := getattr(row, k)) is None else v.tolist() for k in TENSORS}
    return {**vars(row), "figures": dict(row.figures), **lists}


def _row(told: Any) -> Row:
    """ValueError: no row."""
    import torch

    from .films import Row

    try:
        tensors = {k: None if told[k] is None else torch.tensor(told[k]) for k in TENSORS}
        return Row(**{**told, **tensors})
    except (TypeError, LookupError, RuntimeError) as error:
        raise ValueError("no film") from error
