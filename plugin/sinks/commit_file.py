"""A file for a muxer that stays valid up to its last commit, even if the writer is killed or the disk is full."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path


class CommitFile:
    """A file object for a muxer. Data stays in memory until `commit` writes it to the file.

    Args:
        path: of the file, which must not exist.

    Raises:
        FileExistsError: the file exists.
        OSError: the file cannot be created.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("xb", buffering=0)
        self._counts_names = os.fstat(self._file.fileno()).st_nlink > 0  # not every file system does
        self._at = 0  # position of the pending data in the file
        self._pending = bytearray()
        self._whole = 0  # size of the file at the last commit
        self._given_up = False

    # --- called by the muxer

    def write(self, data: bytes) -> int:
        """Add bytes at the current position; returns their number."""
        if not self._given_up:
            self._pending += data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to another position, after writing the pending data; returns the position. Raises OSError."""
        if whence == os.SEEK_CUR:
            offset += self.tell()
        self.commit()
        self._at = self._file.seek(offset, os.SEEK_END if whence == os.SEEK_END else os.SEEK_SET)
        return self._at

    def tell(self) -> int:
        """The current position."""
        return self._at + len(self._pending)

    # --- called by the owner

    def commit(self) -> None:
        """Write the pending data to the file, which is valid then.

        Raises:
            OSError: it cannot be written; call `give_up` then.

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

    def check_there(self) -> None:
        """Raise FileNotFoundError if the file has no name any more: what is written then is lost when it is closed."""
        if self._counts_names and os.fstat(self._file.fileno()).st_nlink == 0:
            raise FileNotFoundError(errno.ENOENT, "it was removed", str(self.path))

    def give_up(self) -> None:
        """Truncate the file to its last commit and ignore further data. Raises OSError if that fails too."""
        self._given_up = True
        self._pending = bytearray()
        self._file.truncate(self._whole)

    def close(self) -> None:
        """Close the file; remove it if it is empty."""
        if not self._file.closed and not self._whole:
            self.remove()
        self._file.close()

    def remove(self) -> None:
        """Remove the file, unless another file has taken its name. Must be called before `close`."""
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(self._file.fileno()), self.path.stat()):
                self.path.unlink()
