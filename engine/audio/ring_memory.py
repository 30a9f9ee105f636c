"""A lock-free ring buffer of sound in memory that processes or threads share. One writer, many readers.

Format: float32 at any rate, any number of channels; sample i of a channel is stored at i modulo the capacity. The
writer first sets `claimed` to the index it is going to reach, then copies, then sets `count`. A reader copies, then
checks `claimed` to detect whether its samples may have been overwritten. Capture times are stored as marks (count,
monotonic nanoseconds).
"""

from __future__ import annotations

import contextlib
import mmap
import os
import time
from typing import Self

import numpy as np
import numpy.typing as npt

from ..errors import SonoramaError
from ..ipc.shared_paths import process_started
from ..units import Samples

MAGIC = b"SONORING"
VERSION = 1
PAGE = 4096
MARKS = 192
RATES, MOST_CHANNELS = (1000, 1_000_000), 256
"""Lowest and highest sample rate in Hz, and the largest number of channels."""

HEADER = np.dtype(
    {
        "names": [
            "magic", "version", "rate", "channels", "owner", "capacity", "closed", "beat_ns", "owner_started",
            "claimed", "count", "marks",
        ],
        "formats": ["V8", "<u4", "<u4", "<u4", "<u4", "<u8", "<u4", "<i8", "<f8", "<u8", "<u8", "<u8"],
        "offsets": [0, 8, 12, 16, 20, 24, 32, 40, 48, 64, 128, 136],
        "itemsize": 512,
    }
)  # fmt: skip
MARK = np.dtype([("count", "<u8"), ("ns", "<i8")])  # count 0: none, or being written
_MARKS_AT, _DATA_AT = HEADER.itemsize, PAGE
_BEAT, _CLAIMED, _COUNT, _MARKED = 5, 8, 16, 17  # words of 8 bytes: beat_ns, claimed, count, marks


class SamplesLost(SonoramaError):
    """The requested samples are no longer in the ring, or not yet."""


class RingMemory:
    """Header, marks and samples as views of one mapped memory.

    Attributes:
        rate: sample rate in Hz.
        channels: number of channels.
        capacity: in samples per channel.

    """

    def __init__(self, memory: mmap.mmap, rate: int, channels: int, capacity: int) -> None:
        self._memory = memory
        self._words = memoryview(memory)[:PAGE].cast("q")  # several times as fast as a record of numpy
        self.rate, self.channels, self.capacity = rate, channels, capacity
        self.header = np.frombuffer(memory, HEADER, 1)
        self._marks = np.frombuffer(memory, MARK, MARKS, _MARKS_AT)
        flat = np.frombuffer(memory, np.float32, channels * capacity, _DATA_AT)
        self._samples: Samples = flat.reshape(channels, capacity)

    @classmethod
    def anonymous(cls, rate: int, channels: int, capacity: int) -> Self:
        """A ring for the threads of this process."""
        return cls._new(mmap.mmap(-1, file_size(channels, capacity)), rate, channels, capacity)

    @classmethod
    def create(cls, descriptor: int, rate: int, channels: int, capacity: int) -> Self:
        """Make an empty file a ring, filled with zeros; its memory is reserved, so that writing cannot fail later.

        Raises:
            OSError: there is no room.

        """
        size = file_size(channels, capacity)
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:
            for start in range(0, size, 1 << 16):
                os.write(descriptor, bytes(min(1 << 16, size - start)))
        return cls._new(mmap.mmap(descriptor, size, access=mmap.ACCESS_WRITE), rate, channels, capacity)

    @classmethod
    def _new(cls, memory: mmap.mmap, rate: int, channels: int, capacity: int) -> Self:
        ring = cls(memory, rate, channels, capacity)
        header = ring.header[0]
        header["magic"], header["version"], header["rate"], header["channels"] = np.void(MAGIC), VERSION, rate, channels
        header["owner"], header["capacity"], header["beat_ns"] = os.getpid(), capacity, time.monotonic_ns()
        header["owner_started"] = process_started(os.getpid())
        return ring

    @classmethod
    def open(cls, descriptor: int, writable: bool = False) -> Self:
        """Map a file that holds a ring.

        Raises:
            ValueError: it does not hold one of this version.
            OSError: it cannot be read or mapped.

        """
        with os.fdopen(os.dup(descriptor), "rb") as file:
            data = file.read(HEADER.itemsize)
        header = np.frombuffer(data.ljust(HEADER.itemsize, b"\0")[: HEADER.itemsize], HEADER, 1)[0]
        rate, channels, capacity = (int(header[field]) for field in ("rate", "channels", "capacity"))
        same = bytes(header["magic"]) == MAGIC and header["version"] == VERSION
        if not same or not possible_format(rate, channels) or not 0 < capacity < 1 << 40:
            raise ValueError("not a ring of this version")
        size = file_size(channels, capacity)
        if os.fstat(descriptor).st_size < size:
            raise ValueError("shorter than a ring of its capacity")
        access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
        return cls(mmap.mmap(descriptor, size, access=access), rate, channels, capacity)

    def begin_at(self, count: int) -> None:
        """Before anything is written: the next sample is number `count`, and those before it are zeros."""
        self._words[_CLAIMED] = self._words[_COUNT] = count

    def get(self, field: str) -> int:
        """A number of the header."""
        return int(self.header[field][0])

    @property
    def count(self) -> int:
        """Samples per channel written so far."""
        return self._words[_COUNT]

    @property
    def oldest(self) -> int:
        """Index of the oldest sample in the ring. Keep some distance from it, because it advances."""
        return max(0, self._words[_CLAIMED] - self.capacity)

    def _spans(self, start: int, n: int) -> tuple[slice, slice, int]:
        """Slices of samples start..start+n: up to the buffer's end, then from its start; and the first one's length."""
        at = start % self.capacity
        first = min(n, self.capacity - at)
        return slice(at, at + first), slice(0, n - first), first

    def write(self, block: Samples, captured_ns: int | None = None) -> None:
        """Append sound; from one thread only.

        Args:
            block: float32 [channels, n], any n; if it exceeds the capacity, only its end is kept.
            captured_ns: monotonic time of its last sample in nanoseconds; None means now.

        Raises:
            ValueError: the block has another shape or type.

        """
        if block.ndim != 2 or block.shape[0] != self.channels or block.dtype != np.float32:
            raise ValueError(f"the block is {block.dtype} {block.shape}, not float32 ({self.channels}, n)")
        words, count = self._words, self.count + block.shape[1]
        kept = block[:, -self.capacity :]
        words[_CLAIMED] = count
        head, tail, first = self._spans(count - kept.shape[1], kept.shape[1])
        self._samples[:, head] = kept[:, :first]
        self._samples[:, tail] = kept[:, first:]
        words[_COUNT] = count
        words[_BEAT] = now = time.monotonic_ns()
        if block.shape[1]:
            self._add_mark(count, now if captured_ns is None else captured_ns)

    def _add_mark(self, count: int, ns: int) -> None:
        words = self._words
        at = _word_of_mark(words[_MARKED])
        words[at] = 0
        words[at + 1] = ns
        words[at] = count
        words[_MARKED] += 1

    def read(self, start: int, stop: int) -> Samples:
        """Copy samples start..stop: float32 [channels, stop - start].

        Raises:
            SamplesLost: they are not written yet, or were overwritten before the copy was complete.

        """
        if not 0 <= start <= stop or stop > self.count:
            raise SamplesLost(f"Samples {start} to {stop} are not written yet, only {self.count}", "Try again later.")
        if start >= self.oldest:
            head, tail, first = self._spans(start, stop - start)
            out = np.empty((self.channels, stop - start), np.float32)
            out[:, :first] = self._samples[:, head]
            out[:, first:] = self._samples[:, tail]
            if start >= self.oldest:
                return out
        raise SamplesLost(
            f"Samples {start} to {stop} were overwritten: the oldest is {self.oldest}", "Read newer ones."
        )

    def captured_ns(self, sample: int) -> int:
        """Monotonic time in nanoseconds at which a sample was captured, from the mark of its block.

        For samples older than the marks or not written yet, it is extrapolated from the nearest mark.

        Raises:
            SamplesLost: nothing was written yet.

        """
        words = self._words
        at = _word_of_mark(words[_MARKED] - 1)
        count, ns = words[at], words[at + 1]
        if count == sample + 1 == words[at]:  # the end of the newest block
            return ns
        marks = self.marks()
        if not len(marks):
            raise SamplesLost("No sound was captured yet", "Try again later.")
        later = marks[marks["count"] > sample]
        mark = later[later["count"].argmin()] if len(later) else marks[marks["count"].argmax()]
        return int(mark["ns"]) - (int(mark["count"]) - 1 - sample) * 1_000_000_000 // self.rate

    def marks(self) -> npt.NDArray[np.void]:
        """The valid marks in any order, without one that is just being written."""
        before = self._marks.copy()
        return before[(before["count"] == self._marks["count"]) & (before["count"] > 0)]

    def close(self) -> None:
        """Unmap the memory: an anonymous ring is gone, a file stays. May be called twice."""
        self.header, self._marks = np.zeros(1, HEADER), np.zeros(MARKS, MARK)
        self._samples = np.zeros((self.channels, 0), np.float32)
        self.header["closed"] = 1
        self._words = memoryview(bytes(PAGE)).cast("q")
        with contextlib.suppress(BufferError):  # a thread is just reading: unmapped when it has finished
            self._memory.close()


def _word_of_mark(index: int) -> int:
    return (_MARKS_AT + index % MARKS * MARK.itemsize) // 8


def file_size(channels: int, capacity: int) -> int:
    """Bytes of a ring."""
    return _DATA_AT + channels * capacity * 4


def possible_format(rate: int, channels: int) -> bool:
    """Whether a device may have such a sample rate and number of channels."""
    return RATES[0] <= rate <= RATES[1] and 1 <= channels <= MOST_CHANNELS
