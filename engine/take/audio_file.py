"""Writes and reads the sound of a take, `audio.wav`: float32 stereo at 44.1 kHz, valid after every block.

A RIFF wave file; above 4 GB it becomes RF64, with the sizes in space reserved for them (EBU Tech 3306). Samples are
written before the header that counts them.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..units import CHANNELS, SAMPLE_RATE, Samples

SAMPLE = 4 * CHANNELS
"""Bytes of one sample of both channels."""
BLOCK = SAMPLE_RATE
"""Maximum number of samples read or written at once."""
_HEAD = struct.Struct("<4sI4s 4sIQQQI 4sIHHIIHH 4sII 4sI")
DATA_AT = _HEAD.size
_SIZES = (1, 5, 6, 7, 8, 19, 21)  # fields that change with the length
_LARGE = 0xFFFFFFFF


def head(samples: int) -> bytes:
    """Header of a file with so many samples."""
    data, riff = samples * SAMPLE, samples * SAMPLE + DATA_AT - 8
    form = (b"fmt ", 16, 3, CHANNELS, SAMPLE_RATE, SAMPLE_RATE * SAMPLE, SAMPLE, 32)
    if riff < _LARGE:
        room = (b"JUNK", 28, 0, 0, 0, 0)
        return _HEAD.pack(b"RIFF", riff, b"WAVE", *room, *form, b"fact", 4, samples, b"data", data)
    sizes = (b"ds64", 28, riff, data, samples, 0)
    return _HEAD.pack(b"RF64", _LARGE, b"WAVE", *sizes, *form, b"fact", 4, _LARGE, b"data", _LARGE)


class GrowingFile:
    """An unbuffered file that only grows, so that data already written survives a crash of the process.

    Args:
        path: must not exist.

    Raises:
        OSError: the file cannot be created. Methods raise it if the disk is full or the file is gone; the call may be
            repeated later, after `settle`.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("xb", buffering=0)

    def settle(self) -> None:
        """Reopen the file if it was closed after an error, or replaced by another under its name."""
        found = self._path.stat()
        if self._file.closed or not os.path.samestat(os.fstat(self._file.fileno()), found):
            self._file.close()
            self._file = self._path.open("r+b", buffering=0)
            self.reopened()

    def reopened(self) -> None:
        """Called after reopening, when the end of the file may be missing; for subclasses."""

    def put(self, at: int, data: bytes) -> None:
        """Write at an offset in bytes."""
        try:
            self._file.seek(at)
            while data:
                data = data[self._file.write(data) :]
        except OSError:
            with suppress(OSError):
                self._file.close()
            raise

    def close(self) -> None:
        """Flush to disk and close. May be called twice."""
        if not self._file.closed:
            try:
                os.fsync(self._file.fileno())
            finally:
                self._file.close()


class SoundFile(GrowingFile):
    """The audio.wav of a take while it is recorded."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.samples = 0
        """Number of samples written, including silence."""
        try:
            self.put(0, head(0))
        except OSError:
            path.unlink()
            raise

    def append(self, block: Samples) -> None:
        """Append a block float32 [2,n], n <= BLOCK. After an OSError `samples` does not count any of it."""
        self.put(DATA_AT + self.samples * SAMPLE, np.ascontiguousarray(block.T, "<f4").tobytes())
        self.put(0, head(self.samples + block.shape[1]))
        self.samples += block.shape[1]


def count(path: Path) -> int:
    """Number of samples in a file, whether its header counts them or not.

    Raises:
        InputError: the file is missing, or not the sound of a take.

    """
    try:
        with path.open("rb") as file:
            told = file.read(DATA_AT)
            samples = (file.seek(0, 2) - DATA_AT) // SAMPLE
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}", "Restore the file; a take cannot be played without its sound."
        ) from error
    if len(told) < DATA_AT or _plain(told) not in (_plain(head(0)), _plain(head(1 << 32))):
        hint = "Restore the recorded file; to cut a take use --start and --duration."
        raise InputError(f"{path} is not the sound of a take", hint)
    return samples


def _plain(told: bytes) -> tuple[object, ...]:
    """Fields of a header without the sizes."""
    return tuple(field for at, field in enumerate(_HEAD.unpack(told)) if at not in _SIZES)


def read(path: Path, start: int, stop: int) -> Iterator[Samples]:
    """Yield samples start to stop as blocks float32 [2,n], exactly as recorded; silence past the end of the file.

    Raises:
        InputError: the file cannot be read.

    """
    try:
        with path.open("rb") as file:
            file.seek(DATA_AT + start * SAMPLE)
            while start < stop:
                n = min(BLOCK, stop - start)
                data = file.read(n * SAMPLE).ljust(n * SAMPLE, b"\0")
                yield np.frombuffer(data, "<f4").reshape(n, CHANNELS).T
                start += n
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "Check the disk.") from error
