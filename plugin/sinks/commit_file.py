"""A file that always ends with something whole, however its writer ends: killed, or by a full disk."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


class CommitFile:
    """What a muxer writes into. It stays in memory until `commit`, which brings it to the file in one piece.

    Args:
        path: of the file, which must not be there.

    Raises:
        FileExistsError: it is there.
        OSError: it cannot be made.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("xb", buffering=0)
        self._at = 0  # where what is pending belongs
        self._pending = bytearray()
        self._whole = 0  # bytes of the file up to the last commit
        self._given_up = False

    # --- what the muxer calls

    def write(self, data: bytes) -> int:
        """Take bytes for the current place."""
        if not self._given_up:
            self._pending += data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to another place; what is pending is written first. Raises OSError where it cannot be."""
        if whence == os.SEEK_CUR:
            offset += self.tell()
        self.commit()
        self._at = self._file.seek(offset, os.SEEK_END if whence == os.SEEK_END else os.SEEK_SET)
        return self._at

    def tell(self) -> int:
        """The current place."""
        return self._at + len(self._pending)

    # --- what the owner calls

    def commit(self) -> None:
        """Write what is pending: the file is whole now.

        Raises:
            OSError: it could not be written; `give_up` then.

        """
        if not self._pending or self._given_up:
            return
        view = memoryview(self._pending)
        self._file.seek(self._at)
        while view:
            view = view[self._file.write(view) :]
        self._at += len(self._pending)
        self._pending = bytearray()
        self._whole = max(self._whole, self._at)

    def give_up(self) -> None:
        """Cut the file back to where it was whole, and take no more. Raises OSError where even that fails."""
        self._given_up = True
        self._pending = bytearray()
        self._file.truncate(self._whole)

    def close(self) -> None:
        """Let go of the file; an empty one is removed."""
        if not self._file.closed and not self._whole:
            self.remove()
        self._file.close()

    def remove(self) -> None:
        """Remove the file, unless another one has its name by now; `close` before it is too late for that."""
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(self._file.fileno()), self.path.stat()):
                self.path.unlink()
