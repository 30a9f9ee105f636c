"""Size and hash of a file, by which it is known for ours."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any

from ..errors import InputError

MADE_BY = "sonorama"
_BLOCK = 1 << 20


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_given(path: Path) -> str:
    """SHA-256 of a file that the user named. InputError: it is not a file, or cannot be read."""
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise InputError(f"{path} is not a file", "Give the path of a file.")
        return sha256(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "Check the path and its permissions.") from error


class Hashing:
    """The SHA-256 of a file that may be long: taken in a thread while other work goes on, ended with the block."""

    def __init__(self, path: Path) -> None:
        self._path, self._ended = path, Event()
        self._hash = hashlib.sha256()
        self._error: OSError | None = None
        self._thread = Thread(target=self._read, name="hash", daemon=True)  # a signal need not wait for it
        self._thread.start()

    def __enter__(self) -> Hashing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()

    @property
    def known(self) -> str | None:
        """As `result`; None while the file is still being read."""
        return None if self._thread.is_alive() else self.result()

    def result(self) -> str:
        """Hexadecimal, when the whole file has been read. Raises InputError where it cannot be."""
        while self._thread.is_alive():
            self._thread.join(0.1)
        if self._error is not None:
            message = f"{self._path} cannot be read any more: {self._error.strerror or self._error}"
            raise InputError(message, "Keep the file in place until the film is made.")
        return self._hash.hexdigest()

    def _read(self) -> None:
        try:
            with self._path.open("rb") as file:
                while not self._ended.is_set() and (block := file.read(_BLOCK)):
                    self._hash.update(block)
        except OSError as error:
            self._error = error


def fingerprint(path: Path) -> dict[str, Any]:
    """Size in bytes and SHA-256 of a file."""
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def matches(path: Path, told: object) -> bool:
    """Whether a file is there and has this fingerprint."""
    if not isinstance(told, Mapping) or path.is_symlink() or not path.is_file():
        return False
    return path.stat().st_size == told.get("bytes") and sha256(path) == told.get("sha256")
