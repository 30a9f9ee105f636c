"""The sample ring: a lock-free ring buffer in shared memory with the last minute of sound. One writer, many readers.

Format: float32 stereo at 44,100 Hz; sample i of a channel is stored at i modulo the capacity. The writer first sets
`claimed` to the index it is going to reach, then copies, then sets `count`. A reader copies, then checks `claimed` to
detect whether its samples may have been overwritten. Capture times are stored as marks (count, monotonic nanoseconds).
"""

from __future__ import annotations

import contextlib
import mmap
import os
import time
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from ..errors import SonoramaError
from ..ipc.shared_paths import (
    UnsafePath,
    check_name,
    create_private,
    open_private,
    part_of,
    process_lives,
    process_started,
    shared_path,
)
from ..units import CHANNELS, SAMPLE_RATE, Samples

MAGIC = b"SONORING"
VERSION = 1
PAGE = 4096
MARKS = 192
SILENT_NS = 60_000_000_000
"""If nothing was written for so long, a process with the owner's number must be another program."""

HEADER = np.dtype(
    {
        "names": [
            "magic", "version", "rate", "channels", "owner", "capacity", "closed", "beat_ns", "owner_started",
            "claimed", "count",
        ],
        "formats": ["V8", "<u4", "<u4", "<u4", "<u4", "<u8", "<u4", "<i8", "<f8", "<u8", "<u8"],
        "offsets": [0, 8, 12, 16, 20, 24, 32, 40, 48, 64, 128],
        "itemsize": 512,
    }
)  # fmt: skip
MARK = np.dtype([("count", "<u8"), ("ns", "<i8")])  # count 0: none, or being written
_MARKS_AT, _DATA_AT = HEADER.itemsize, PAGE


class RingMissing(SonoramaError):
    """There is no sample ring of that name, or the file is not one."""


class RingTaken(SonoramaError):
    """Another program owns the sample ring of that name, or took it over."""


class SamplesLost(SonoramaError):
    """The requested samples are no longer in the ring, or not yet."""


def ring_path(name: str) -> Path:
    """Path of the sample ring of the show `name`."""
    return shared_path(f"{check_name(name)}.samples")


class _Ring:
    """The memory-mapped file, with header, marks and samples as array views."""

    def __init__(self, descriptor: int, capacity: int, writable: bool) -> None:
        access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
        self._memory = mmap.mmap(descriptor, _file_size(capacity), access=access)
        self.inode = os.fstat(descriptor).st_ino
        self.capacity = capacity
        self.header = np.frombuffer(self._memory, HEADER, 1)
        self.marks = np.frombuffer(self._memory, MARK, MARKS, _MARKS_AT)
        flat = np.frombuffer(self._memory, np.float32, CHANNELS * capacity, _DATA_AT)
        self.samples: Samples = flat.reshape(CHANNELS, capacity)

    @classmethod
    def open(cls, path: Path, writable: bool = False) -> Self:
        try:
            descriptor = open_private(path, writable)
        except UnsafePath as error:
            raise RingMissing(error.message, error.hint) from error
        except OSError as error:
            hint = "Start the program that writes it, such as: sonorama live"
            raise RingMissing(f"There is no sample ring {path}", hint) from error
        try:
            return cls(descriptor, _read_capacity(descriptor, path), writable)
        finally:
            os.close(descriptor)

    def get(self, field: str) -> int:
        return int(self.header[field][0])

    def lives(self) -> bool:
        quiet = time.monotonic_ns() - self.get("beat_ns")
        started = float(self.header["owner_started"][0])
        return not self.get("closed") and quiet < SILENT_NS and process_lives(self.get("owner"), started)

    def spans(self, start: int, n: int) -> tuple[slice, slice, int]:
        """Slices of samples start..start+n: up to the buffer's end, then from its start; and the first one's length."""
        at = start % self.capacity
        first = min(n, self.capacity - at)
        return slice(at, at + first), slice(0, n - first), first

    def close(self) -> None:
        self.header, self.marks = np.zeros(1, HEADER), np.zeros(MARKS, MARK)
        self.samples = np.zeros((CHANNELS, 0), np.float32)
        self.header["closed"] = 1
        self._memory.close()


def _file_size(capacity: int) -> int:
    return _DATA_AT + CHANNELS * capacity * 4


def _read_capacity(descriptor: int, path: Path) -> int:
    foreign = RingMissing(f"{path} is not a sample ring of this version", "Choose another name, or delete that file.")
    with os.fdopen(os.dup(descriptor), "rb") as file:
        data = file.read(HEADER.itemsize)
    if len(data) < HEADER.itemsize:
        raise foreign
    header = np.frombuffer(data, HEADER, 1)[0]
    capacity, size = int(header["capacity"]), os.fstat(descriptor).st_size
    same = bytes(header["magic"]) == MAGIC and header["version"] == VERSION and header["rate"] == SAMPLE_RATE
    if not same or header["channels"] != CHANNELS or not 0 < capacity < 1 << 40 or size < _file_size(capacity):
        raise foreign
    return capacity


class SampleRingWriter:
    """Creates and owns the sample ring of the show `name` until `close`. Not thread-safe.

    Args:
        name: of the show; the file is `sonorama-<name>.samples` in the shared-memory folder.
        seconds: capacity in seconds, 0.1 to 3600 (350 kB per second).

    Raises:
        RingTaken: a running program owns the ring, or the file exists and is not a ring.
        SonoramaError: there is not enough memory for it.

    """

    def __init__(self, name: str, seconds: float = 60.0) -> None:
        if not 0.1 <= seconds <= 3600.0:
            raise ValueError(f"the ring's capacity must be 0.1 to 3600 s, not {seconds} s")
        self.name = name
        self.path = ring_path(name)
        old = self._dead_ring()
        self._ring = self._make(round(seconds * SAMPLE_RATE), replace=old is not None)
        self._mark = 0
        if old:
            old.header["closed"] = 1
            old.close()

    def _dead_ring(self) -> _Ring | None:
        """The ring that an owner which has died left behind, or None."""
        if not self.path.exists():
            return None
        try:
            old = _Ring.open(self.path, writable=True)
        except RingMissing as error:
            raise RingTaken(error.message, error.hint) from error
        if old.lives():
            owner = old.get("owner")
            old.close()
            raise RingTaken(
                f"The show {self.name} is already running as process {owner}", "Choose another name with --name."
            )
        return old

    def _make(self, capacity: int, replace: bool) -> _Ring:
        part = part_of(self.path)
        try:
            ring = _create(part, capacity)
            if replace:
                part.replace(self.path)
            else:
                os.link(part, self.path)  # fails if another owner was faster
        except FileExistsError as error:
            raise RingTaken(f"The show {self.name} was just started by another program", "Choose another.") from error
        except OSError as error:
            message = f"No room for a sample ring in {self.path.parent}: {error.strerror}"
            raise SonoramaError(message, f"It takes {_file_size(capacity) >> 20} MB; free some there.") from error
        finally:
            part.unlink(missing_ok=True)
        return ring

    @property
    def count(self) -> int:
        """Samples per channel written so far."""
        return self._ring.get("count")

    def write(self, block: Samples, captured_ns: int | None = None) -> None:
        """Append sound.

        Args:
            block: float32 [2, n], any n; if it exceeds the capacity, only its end is kept.
            captured_ns: monotonic time of its last sample in nanoseconds; None means now.

        Raises:
            RingTaken: the ring was closed, or another program took it over while this one wrote nothing.
            ValueError: the block has another shape or type.

        """
        if block.ndim != 2 or block.shape[0] != CHANNELS or block.dtype != np.float32:
            raise ValueError(f"the block is {block.dtype} {block.shape}, not float32 (2, n)")
        ring = self._ring
        header = ring.header
        if header["closed"][0]:
            raise RingTaken(f"The sample ring {self.name} is closed or was taken over", "Start the show again.")
        count = ring.get("count") + block.shape[1]
        kept = block[:, -ring.capacity :]
        header["claimed"] = count
        head, tail, first = ring.spans(count - kept.shape[1], kept.shape[1])
        ring.samples[:, head] = kept[:, :first]
        ring.samples[:, tail] = kept[:, first:]
        header["count"] = count
        header["beat_ns"] = time.monotonic_ns()
        if block.shape[1]:
            self._add_mark(count, time.monotonic_ns() if captured_ns is None else captured_ns)

    def _add_mark(self, count: int, ns: int) -> None:
        mark = self._ring.marks[self._mark % MARKS]
        mark["count"] = 0
        mark["ns"] = ns
        mark["count"] = count
        self._mark += 1

    def close(self) -> None:
        """Close and remove the ring; readers keep their mapping of it. May be called twice."""
        if self._ring.get("closed"):
            self._ring.close()
            return
        self._ring.header["closed"] = 1
        with contextlib.suppress(FileNotFoundError):
            if self.path.stat().st_ino == self._ring.inode:
                self.path.unlink()
        self._ring.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _create(path: Path, capacity: int) -> _Ring:
    """Create a ring filled with zeros; its memory is reserved, so that writing cannot fail later. Raises OSError."""
    size = _file_size(capacity)
    descriptor = create_private(path)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:
            for start in range(0, size, 1 << 16):
                os.write(descriptor, bytes(min(1 << 16, size - start)))
        ring = _Ring(descriptor, capacity, writable=True)
    finally:
        os.close(descriptor)
    header = ring.header[0]
    header["magic"], header["version"], header["rate"], header["channels"] = (
        np.void(MAGIC),
        VERSION,
        SAMPLE_RATE,
        CHANNELS,
    )
    header["owner"], header["capacity"], header["beat_ns"] = os.getpid(), capacity, time.monotonic_ns()
    header["owner_started"] = process_started(os.getpid())
    return ring


class SampleRing:
    """Reads the sample ring of the show `name`. Open it again after a change of owner.

    Raises:
        RingMissing: there is no ring of that name.

    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._ring = _Ring.open(ring_path(name))

    @classmethod
    def open(cls, name: str) -> Self:
        """Open the ring of the show `name`; the same as the constructor."""
        return cls(name)

    @property
    def capacity(self) -> int:
        """Capacity in samples per channel."""
        return self._ring.capacity

    @property
    def count(self) -> int:
        """Samples per channel written so far."""
        return self._ring.get("count")

    @property
    def oldest(self) -> int:
        """Index of the oldest sample in the ring. Keep some distance from it, because it advances."""
        return max(0, self._ring.get("claimed") - self._ring.capacity)

    def owner_alive(self) -> bool:
        """Whether the writer is running; False after it closed the ring or died, or another took the name."""
        return self._ring.lives()

    def read(self, start: int, stop: int) -> Samples:
        """Copy samples start..stop: float32 [2, stop - start].

        Raises:
            SamplesLost: they are not written yet, or were overwritten before the copy was complete.

        """
        if not 0 <= start <= stop or stop > self.count:
            raise SamplesLost(f"Samples {start} to {stop} are not written yet, only {self.count}", "Try again later.")
        if start >= self.oldest:
            ring = self._ring
            head, tail, first = ring.spans(start, stop - start)
            out = np.empty((CHANNELS, stop - start), np.float32)
            out[:, :first] = ring.samples[:, head]
            out[:, first:] = ring.samples[:, tail]
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
        marks = self._marks()
        if not len(marks):
            raise SamplesLost("No sound was captured yet", "Try again later.")
        later = marks[marks["count"] > sample]
        mark = later[later["count"].argmin()] if len(later) else marks[marks["count"].argmax()]
        return int(mark["ns"]) - (int(mark["count"]) - 1 - sample) * 1_000_000_000 // SAMPLE_RATE

    def late_ns(self) -> int:
        """Age of the newest block: nanoseconds from the capture of its first sample until it was written to the ring.

        0 while the next block is being written.
        """
        beat, marks = self._ring.get("beat_ns"), np.sort(self._marks(), order="count")
        if not len(marks) or int(marks["count"][-1]) != self.count or beat != self._ring.get("beat_ns"):
            return 0
        end, n = int(marks["ns"][-1]), int(marks["count"][-1]) - int(marks["count"][-2:][0])
        return beat - end + n * 1_000_000_000 // SAMPLE_RATE

    def _marks(self) -> npt.NDArray[np.void]:
        """The valid marks, without one that is just being written."""
        before = self._ring.marks.copy()
        return before[(before["count"] == self._ring.marks["count"]) & (before["count"] > 0)]

    def close(self) -> None:
        """Close this reader's mapping; the ring itself belongs to the writer. May be called twice."""
        self._ring.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
