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
        """Whole lines; what a full disk or a kill cut off, or what is damaged, is measured again from there on."""
        with suppress(ValueError):
            if json.loads(file.readline()) != self.asked:
                return False
            end = file.tell()
            with suppress(ValueError):
                while (line := file.readline()).endswith(b"\n"):
                    self.rows.append(_row(json.loads(line)))
                    end = file.tell()
            return self._goes_on(file, end)
        return False

    @staticmethod
    def _goes_on(file: BinaryIO, end: int) -> bool:
        file.truncate(end)
        file.seek(end)
        return True

    def begin(self) -> None:
        """Make the folder, and the file with what is asked for. OutputError where that cannot be."""
        with translated(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("xb")
            lock(self._file.fileno())
            self._write(self.asked)

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
        """Let another process have the folder."""
        if self._file is not None:
            self._file.close()


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
    except (TypeError, LookupError) as error:
        raise ValueError("no film") from error
