"""`films.jsonl` of an evaluation: a line for every film that was measured, so that one that was stopped goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import torch

from ...engine.files.atomic import translated
from ...engine.files.lock import lock
from .films import Row

FILE = "films.jsonl"


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

    def find(self) -> bool:
        """Whether a stopped evaluation of the same question is there; its films are read then."""
        with suppress(OSError):
            file = self.path.open("r+b")
            if lock(file.fileno()) and self._read(file):
                self._file = file
                return True
            file.close()
        return False

    def _read(self, file: BinaryIO) -> bool:
        """Read whole lines. From the first cut or damaged line on, films are measured again."""
        try:
            if json.loads(file.readline()) != self.asked:
                return False
        except ValueError:
            return False
        end = file.tell()
        try:
            while (line := file.readline()).endswith(b"\n"):
                self.rows.append(_row(json.loads(line)))
                end = file.tell()
        except ValueError:
            pass
        file.truncate(end)
        file.seek(end)
        return True

    def begin(self) -> bool:
        """Make the folder, and the file with what is asked for; False if another process was quicker.

        Raises:
            OutputError: they cannot be written.

        """
        with translated(self.path):
            self._made_folder = not self.path.parent.exists()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._file = self.path.open("xb")
            except FileExistsError:
                return False
            self._made = True
            if not lock(self._file.fileno()):
                return False
            try:
                self._write(self.asked)
            except OSError:
                self.close()
                raise
        return True

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


def _line(what: Mapping[str, Any]) -> bytes:
    return json.dumps(what).encode() + b"\n"


TENSORS = ("descriptor", "i3d")


def _told(row: Row) -> dict[str, Any]:
    lists = {k: v if (v := getattr(row, k)) is None else v.tolist() for k in TENSORS}
    return {**vars(row), "figures": dict(row.figures), **lists}


def _row(told: Any) -> Row:
    """ValueError: no row."""
    try:
        tensors = {k: None if told[k] is None else torch.tensor(told[k]) for k in TENSORS}
        return Row(**{**told, **tensors})
    except (TypeError, LookupError, RuntimeError) as error:
        raise ValueError("no film") from error
