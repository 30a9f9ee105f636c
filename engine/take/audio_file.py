"""`audio.wav` of a take: float32 stereo at 44.1 kHz, of any length, a valid file after every block.

A RIFF wave file; past 4 GB its head says RF64 and the room kept for that takes the true sizes (EBU Tech 3306). The
samples go to the disk before the head counts them.
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
"""Bytes of one sample of both sides."""
BLOCK = SAMPLE_RATE
"""Samples that are read or written at once."""
_HEAD = struct.Struct("<4sI4s 4sIQQQI 4sIHHIIHH 4sII 4sI")
DATA_AT = _HEAD.size
_SIZES = (1, 5, 6, 7, 8, 19, 21)  # fields that change with the length
_LARGE = 0xFFFFFFFF


def head(samples: int) -> bytes:
    """What stands before so many samples."""
    data, riff = samples * SAMPLE, samples * SAMPLE + DATA_AT - 8
    form = (b"fmt ", 16, 3, CHANNELS, SAMPLE_RATE, SAMPLE_RATE * SAMPLE, SAMPLE, 32)
    if riff < _LARGE:
        room = (b"JUNK", 28, 0, 0, 0, 0)
        return _HEAD.pack(b"RIFF", riff, b"WAVE", *room, *form, b"fact", 4, samples, b"data", data)
    sizes = (b"ds64", 28, riff, data, samples, 0)
    return _HEAD.pack(b"RF64", _LARGE, b"WAVE", *sizes, *form, b"fact", 4, _LARGE, b"data", _LARGE)


class GrowingFile:
    """A file that only grows. Nothing is held back: what was written stays when the process is killed.

    Args:
        path: must not exist.

    Raises:
        OSError: it cannot be made. So does every method when the disk is full or the file is gone; the same call may be
            made again later, after `settle`.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("xb", buffering=0)

    def settle(self) -> None:
        """Make sure that the file under the name is the one that is written: it may have gone and come back."""
        found = self._path.stat()
        if self._file.closed or not os.path.samestat(os.fstat(self._file.fileno()), found):
            self._file.close()
            self._file = self._path.open("r+b", buffering=0)
            self.reopened()

    def reopened(self) -> None:
        """What was written last may be cut or missing."""

    def put(self, at: int, data: bytes) -> None:
        """Write at a place."""
        try:
            self._file.seek(at)
            while data:
                data = data[self._file.write(data) :]
        except OSError:
            with suppress(OSError):
                self._file.close()
            raise

    def close(self) -> None:
        """Bring everything to the disk. May be called twice."""
        if not self._file.closed:
            try:
                os.fsync(self._file.fileno())
            finally:
                self._file.close()


class SoundFile(GrowingFile):
    """An audio.wav that grows; see GrowingFile."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.samples = 0
        """Written so far, silence included."""
        try:
            self.put(0, head(0))
        except OSError:
            path.unlink()
            raise

    def append(self, block: Samples) -> None:
        """Write float32 [2,n], n up to BLOCK: all of it, or it does not count."""
        self.put(DATA_AT + self.samples * SAMPLE, np.ascontiguousarray(block.T, "<f4").tobytes())
        self.put(0, head(self.samples + block.shape[1]))
        self.samples += block.shape[1]


def count(path: Path) -> int:
    """Samples that are there, whether the head counts them or not.

    Raises:
        InputError: missing, or no audio.wav of a take.

    """
    try:
        with path.open("rb") as file:
            told = file.read(DATA_AT)
            samples = (file.seek(0, 2) - DATA_AT) // SAMPLE
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}", "A take needs the sound it was played to."
        ) from error
    if len(told) < DATA_AT or _plain(told) not in (_plain(head(0)), _plain(head(1 << 32))):
        hint = "Put back the file that was recorded; to cut a take use --start and --duration."
        raise InputError(f"{path} is not the sound of a take", hint)
    return samples


def _plain(told: bytes) -> tuple[object, ...]:
    """A head without its sizes."""
    return tuple(field for at, field in enumerate(_HEAD.unpack(told)) if at not in _SIZES)


def read(path: Path, start: int, stop: int) -> Iterator[Samples]:
    """Samples start..stop as blocks float32 [2,n], bit for bit; silence past the end of the file.

    Raises:
        InputError: it cannot be read.

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
