"""The sample ring of a show: a ring buffer (ring_memory.py) in a shared file with the last minute of sound.

Float32 stereo at 44,100 Hz. Its writer owns the name until it closes the ring or dies; readers come and go.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Self

import numpy as np

from ..errors import SonoramaError
from ..ipc.shared_paths import (
    UnsafePath,
    check_name,
    create_private,
    open_private,
    other_user,
    part_of,
    process_lives,
    shared_path,
)
from ..units import CHANNELS, SAMPLE_RATE, Samples
from .ring_memory import RingMemory, SamplesLost, file_size

__all__ = ["RingMissing", "RingTaken", "SampleRing", "SampleRingWriter", "SamplesLost", "ring_path"]

SILENT_NS = 60_000_000_000
"""If nothing was written for so long, a process with the owner's number must be another program."""


class RingMissing(SonoramaError):
    """There is no sample ring of that name, or the file is not one."""


class RingTaken(SonoramaError):
    """Another program owns the sample ring of that name, or took it over."""


def ring_path(name: str) -> Path:
    """Path of the sample ring of the show `name`."""
    return shared_path(f"{check_name(name)}.samples")


def _open(path: Path, writable: bool = False) -> tuple[RingMemory, int]:
    """The ring in a file, and the file's inode."""
    try:
        descriptor = open_private(path, writable)
    except UnsafePath as error:
        raise RingMissing(error.message, error.hint) from error
    except OSError as error:
        hint = "Start the program that writes it, such as: sonorama live"
        raise RingMissing(f"There is no sample ring {path}", hint) from error
    try:
        ring = RingMemory.open(descriptor, writable)
        if (ring.rate, ring.channels) != (SAMPLE_RATE, CHANNELS):
            raise ValueError("not a ring in the format of a show")
        return ring, os.fstat(descriptor).st_ino
    except ValueError as error:
        message = f"{path} is not a sample ring of this version"
        raise RingMissing(message, "Choose another name, or delete that file.") from error
    finally:
        os.close(descriptor)


def _lives(ring: RingMemory) -> bool:
    """Whether the writer is running and has not closed the ring."""
    quiet = time.monotonic_ns() - ring.get("beat_ns")
    started = float(ring.header["owner_started"][0])
    return not ring.get("closed") and quiet < SILENT_NS and process_lives(ring.get("owner"), started)


def owner_lives(path: Path, quiet_ns: int = 0) -> bool | None:
    """Whether the owner of a sample ring of this user runs, or gave a sign in the last `quiet_ns`; None: it is none."""
    try:
        ring, _ = _open(path)
    except RingMissing:
        return None
    lives = _lives(ring) or time.monotonic_ns() - ring.get("beat_ns") < quiet_ns
    ring.close()
    return lives


class SampleRingWriter:
    """Creates and owns the sample ring of the show `name` until `close`. Not thread-safe.

    Args:
        name: of the show; the file is `sonorama-<name>.samples` in the shared-memory folder.
        seconds: capacity in seconds, 0.1 to 3600 (350 kB per second).
        first: index of the first sample; before it there is silence.

    Raises:
        RingTaken: a running program owns the ring, or the file exists and is not a ring.
        SonoramaError: there is not enough memory for it.

    """

    def __init__(self, name: str, seconds: float = 60.0, first: int = 0) -> None:
        if not 0.1 <= seconds <= 3600.0:
            raise ValueError(f"the ring's capacity must be 0.1 to 3600 s, not {seconds} s")
        self.name = name
        self.path = ring_path(name)
        old = self._dead_ring()
        self._ring, self._inode = self._make(round(seconds * SAMPLE_RATE), replace=old is not None)
        self._ring.begin_at(first)
        if old:
            old.header["closed"] = 1
            old.close()

    def _dead_ring(self) -> RingMemory | None:
        """The ring that an owner which has died left behind, or None."""
        if not self.path.exists():
            return None
        if user := other_user(self.path):
            raise RingTaken(f"The show {self.name} is of another user ({user})", "Choose another name with --name.")
        try:
            old, _ = _open(self.path, writable=True)
        except RingMissing as error:
            raise RingTaken(error.message, error.hint) from error
        if _lives(old):
            owner = old.get("owner")
            old.close()
            raise RingTaken(
                f"The show {self.name} is already running as process {owner}", "Choose another name with --name."
            )
        return old

    def _make(self, capacity: int, replace: bool) -> tuple[RingMemory, int]:
        part = part_of(self.path)
        try:
            made = _create(part, capacity)
            if replace:
                part.replace(self.path)
            else:
                os.link(part, self.path)  # fails if another owner was faster
        except FileExistsError as error:
            raise RingTaken(f"The show {self.name} was just started by another program", "Choose another.") from error
        except OSError as error:
            size = file_size(CHANNELS, capacity)
            message = f"No room for a sample ring in {self.path.parent}: {error.strerror}"
            raise SonoramaError(message, f"It takes {size >> 20} MB; free some there.") from error
        finally:
            part.unlink(missing_ok=True)
        return made

    @property
    def count(self) -> int:
        """Samples per channel written so far."""
        return self._ring.count

    def write(self, block: Samples, captured_ns: int | None = None) -> None:
        """Append sound.

        Args:
            block: float32 [2, n], any n; if it exceeds the capacity, only its end is kept.
            captured_ns: monotonic time of its last sample in nanoseconds; None means now.

        Raises:
            RingTaken: the ring was closed, or another program took it over while this one wrote nothing.
            ValueError: the block has another shape or type.

        """
        if self._ring.get("closed"):
            raise RingTaken(f"The sample ring {self.name} is closed or was taken over", "Start the show again.")
        self._ring.write(block, captured_ns)

    def close(self) -> None:
        """Close and remove the ring; readers keep their mapping of it. May be called twice."""
        if self._ring.get("closed"):
            self._ring.close()
            return
        self._ring.header["closed"] = 1
        with contextlib.suppress(FileNotFoundError):
            if self.path.stat().st_ino == self._inode:
                self.path.unlink()
        self._ring.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _create(path: Path, capacity: int) -> tuple[RingMemory, int]:
    descriptor = create_private(path)
    try:
        return RingMemory.create(descriptor, SAMPLE_RATE, CHANNELS, capacity), os.fstat(descriptor).st_ino
    finally:
        os.close(descriptor)


class SampleRing:
    """Reads the sample ring of the show `name`. Open it again after a change of owner.

    Raises:
        RingMissing: there is no ring of that name.

    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._ring, _ = _open(ring_path(name))

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
        return self._ring.count

    @property
    def oldest(self) -> int:
        """Index of the oldest sample in the ring. Keep some distance from it, because it advances."""
        return self._ring.oldest

    def owner_alive(self) -> bool:
        """Whether the writer is running; False after it closed the ring or died, or another took the name."""
        return _lives(self._ring)

    def read(self, start: int, stop: int) -> Samples:
        """Copy samples start..stop: float32 [2, stop - start].

        Raises:
            SamplesLost: they are not written yet, or were overwritten before the copy was complete.

        """
        return self._ring.read(start, stop)

    def captured_ns(self, sample: int) -> int:
        """Monotonic time in nanoseconds at which a sample was captured, from the mark of its block.

        For samples older than the marks or not written yet, it is extrapolated from the nearest mark.

        Raises:
            SamplesLost: nothing was written yet.

        """
        return self._ring.captured_ns(sample)

    def late_ns(self) -> int:
        """Age of the newest block: nanoseconds from the capture of its first sample until it was written to the ring.

        0 while the next block is being written.
        """
        beat, marks = self._ring.get("beat_ns"), np.sort(self._ring.marks(), order="count")
        if not len(marks) or int(marks["count"][-1]) != self.count or beat != self._ring.get("beat_ns"):
            return 0
        end, n = int(marks["ns"][-1]), int(marks["count"][-1]) - int(marks["count"][-2:][0])
        return beat - end + n * 1_000_000_000 // SAMPLE_RATE

    def close(self) -> None:
        """Close this reader's mapping; the ring itself belongs to the writer. May be called twice."""
        self._ring.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
