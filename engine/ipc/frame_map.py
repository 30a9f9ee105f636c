"""The frame map: pictures in shared memory, readable by any program (docs/frame-map.md).

One writer, any number of readers, no locks. A slot's `seq` is odd while it is written and 2k+2 once it holds picture
k; a reader copies the newest slot and takes the copy only if `seq` was the same before and after. A resize makes a new
file under the same name; the old one is marked (generation 0) and stays valid memory for whoever still looks at it.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from ..errors import SonoramaError
from ..units import Pixels
from .frame_map_layout import FOURCC, LARGEST_SIDE, MAGIC, PAGE, REPEATED, VERSION, FrameMapMissing, Mapping, Shape
from .shared_paths import other_user, part_of, process_lives, process_started, shared_path

__all__ = ["FrameMap", "FrameMapMissing", "FrameMapTaken", "FrameMapWriter", "FrameSlot"]


SILENT_NS = 60_000_000_000
"""A living process of the owner's number that gave no sign for so long is another program by now."""
LOOK_S = 0.5
POLL_S, FINE_S = 0.001, 0.0001
"""Sleep between two looks for a picture: as a rule, and about the time at which one is due."""
EARLY_NS, LATE_NS = 700_000, 2_000_000
"""That time: from before to after the moment that the pictures before let expect."""


class FrameMapTaken(SonoramaError):
    """Another program owns the frame map of that name."""


@dataclass(frozen=True, slots=True)
class FrameSlot:
    """One picture as read: a copy of its own.

    Attributes:
        pixels: uint8 [H,W,4] RGBA, row 0 on top.
        pts_ns: monotonic nanoseconds at which it was due.
        frame: index of the latent frame it shows.
        sample: index in the sample ring that it is about.
        repeated: nothing new, the picture before once more.
        count: how many pictures had been published with this one.
        lift: brightness still to be put on, a factor.

    """

    pixels: Pixels
    pts_ns: int
    frame: int
    sample: int
    repeated: bool
    count: int
    lift: float = 1.0


def _lives(mapping: Mapping) -> bool:
    """Whether the owner written in the header still runs; a retired file has none."""
    quiet = time.monotonic_ns() - mapping.get("heartbeat_ns")
    return mapping.get("generation") != 0 and quiet < SILENT_NS and process_lives(mapping.get("owner"), mapping.started)


def owner_lives(path: Path, quiet_ns: int = 0) -> bool | None:
    """Whether the owner of a frame map of this user runs, or gave a sign in the last `quiet_ns`; None: it is none."""
    try:
        mapping = Mapping.open(path)
    except FrameMapMissing:
        return None
    lives = _lives(mapping) or time.monotonic_ns() - mapping.get("heartbeat_ns") < quiet_ns
    mapping.close()
    return lives


class FrameMapWriter:
    """Owns the frame map `name` from now until `close`. Not for several threads at once.

    Args:
        name: of the map; the file is `sonorama-<name>` in the shared-memory folder.
        width, height: of the pictures, px, 1 to 16384.
        slots: pictures kept, 3 to 64; a reader has `slots - 1` frame times for its copy.

    Raises:
        FrameMapTaken: a living program owns it, or a file that is no frame map is in the way.
        SonoramaError: no room for it.

    """

    def __init__(self, name: str, width: int, height: int, slots: int = 4) -> None:
        self.name = name
        self.path = shared_path(name)
        old = self._dead_map()
        generation, count = (old.get("generation"), old.count) if old else (0, 0)
        self._map = self._make(Shape(width, height, slots), generation + 1, count, replace=old is not None)
        if old:
            old.retire()
            old.close()

    def _dead_map(self) -> Mapping | None:
        """The file that a dead owner left behind, if there is one."""
        if not self.path.exists():
            return None
        if user := other_user(self.path):
            message = f"The frame map {self.name} is of another user ({user})"
            raise FrameMapTaken(message, "Choose another name with --name.")
        try:
            old = Mapping.open(self.path, writable=True)
        except FrameMapMissing as error:
            raise FrameMapTaken(error.message, error.hint) from error
        if _lives(old):
            owner = old.get("owner")
            old.close()
            if owner == os.getpid():
                raise FrameMapTaken(
                    f"This show has a frame map {self.name} already", "Give the other one another name."
                )
            raise FrameMapTaken(
                f"The frame map {self.name} belongs to the running process {owner}", "Choose another name with --name."
            )
        return old

    def _make(self, shape: Shape, generation: int, count: int, replace: bool) -> Mapping:
        if not (1 <= shape.width <= LARGEST_SIDE and 1 <= shape.height <= LARGEST_SIDE and 3 <= shape.slots <= 64):
            raise ValueError(f"no frame map of {shape}")
        part = part_of(self.path)
        try:
            mapping = Mapping.create(part, shape)
            self._fill(mapping, generation, count)
            if replace:
                part.replace(self.path)
            else:
                os.link(part, self.path)  # fails where another owner was quicker
        except FileExistsError as error:
            raise FrameMapTaken(f"The frame map {self.name} was just made by another program", "Try again.") from error
        except OSError as error:
            message = f"No room for a frame map of {shape.width}x{shape.height} in {self.path.parent}: {error.strerror}"
            raise SonoramaError(message, f"It takes {shape.file_size >> 20} MB; choose a smaller size.") from error
        finally:
            part.unlink(missing_ok=True)
        return mapping

    def _fill(self, mapping: Mapping, generation: int, count: int) -> None:
        header, shape = mapping.header[0], mapping.shape
        header["magic"], header["version"], header["fourcc"] = np.void(MAGIC), VERSION, np.void(FOURCC)
        header["width"], header["height"], header["stride"] = shape.width, shape.height, shape.width * 4
        header["slots"], header["slot_size"], header["data_offset"] = shape.slots, shape.slot_size, PAGE
        header["generation"], header["owner"], header["orientation"] = generation, os.getpid(), 0
        header["heartbeat_ns"], header["count"] = time.monotonic_ns(), count
        header["owner_started"] = process_started(os.getpid())

    @property
    def count(self) -> int:
        """Pictures published so far, over all generations."""
        return self._map.count

    @property
    def generation(self) -> int:
        """Rises by one with every resize; 0 once it was lost."""
        return self._map.get("generation")

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self._map.shape.width, self._map.shape.height

    def publish(
        self, rgba: Pixels, pts_ns: int, frame: int, repeated: bool = False, sample: int = 0, lift: float = 1.0
    ) -> None:
        """Write one picture, uint8 [H,W,4] of the map's size.

        Raises:
            FrameMapTaken: another program took the name while this one was silent.
            ValueError: another shape or type.

        """
        mapping = self._map
        shape = mapping.shape
        if rgba.shape != (shape.height, shape.width, 4) or rgba.dtype != np.uint8:
            raise ValueError(f"{rgba.shape} {rgba.dtype} is no picture of {shape.width}x{shape.height}")
        self.heartbeat()
        count = mapping.count
        slot = mapping.slots[count % shape.slots]
        slot["seq"] = 2 * count + 1
        slot["pts_ns"], slot["frame"], slot["sample"], slot["flags"] = pts_ns, frame, sample, REPEATED * repeated
        slot["lift"] = lift
        np.copyto(mapping.pixels[count % shape.slots], rgba)
        slot["seq"] = 2 * count + 2
        mapping.header["count"] = count + 1

    def heartbeat(self) -> None:
        """Say that the owner lives; `publish` says so too.

        Raises:
            FrameMapTaken: another program took the name while this one was silent.

        """
        if not self._map.get("generation"):
            raise FrameMapTaken(f"The frame map {self.name} was taken over by another program", "Choose another name.")
        self._map.header["heartbeat_ns"] = time.monotonic_ns()

    def resize(self, width: int, height: int) -> None:
        """Begin a new generation of another size; the count goes on. Readers follow by themselves.

        Raises:
            SonoramaError: no room for it; the old size stays.

        """
        old = self._map
        self.heartbeat()
        shape = Shape(width, height, old.shape.slots)
        self._map = self._make(shape, old.get("generation") + 1, old.count, replace=True)
        old.retire()
        old.close()

    def close(self) -> None:
        """Take the map away; readers keep the last picture. May be called twice."""
        if not self._map.get("generation"):
            self._map.close()
            return
        self._map.retire()
        with contextlib.suppress(FileNotFoundError):
            if self.path.stat().st_ino == self._map.inode:
                self.path.unlink()
        self._map.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Rhythm:
    """How long to sleep between two looks: short about the time at which the next picture is due."""

    def __init__(self) -> None:
        self._count = self._at = self._period = 0

    def note(self, count: int, at: int) -> None:
        """Picture `count` was published at `at` ns."""
        new = count - self._count
        if self._count and new > 0:
            period = (at - self._at) // new
            self._period += (period - self._period) // 8 if self._period else period
        self._count, self._at = count, at

    def pause(self, now: int) -> float:
        """Seconds to sleep at `now` ns."""
        if self._period <= 0:
            return POLL_S
        since = now - self._at
        late = since - self._period * max(1, (since + EARLY_NS) // self._period)
        left = (self._period if late > LATE_NS else 0) - late - EARLY_NS
        return min(POLL_S, max(FINE_S, left / 1e9))


class FrameMap:
    """Reads the frame map `name`; follows it through resizes and to a new owner. Not for several threads at once.

    Raises:
        FrameMapMissing: there is none of that name.

    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.path: Path = shared_path(name)
        self._map = self._open()
        self._look = time.monotonic() + LOOK_S
        self._rhythm = _Rhythm()

    @classmethod
    def open(cls, name: str) -> Self:
        """The same as the class itself."""
        return cls(name)

    def _open(self) -> Mapping:
        mapping = Mapping.open(self.path)
        if not mapping.get("generation"):  # retired between finding and mapping it
            mapping.close()
            mapping = Mapping.open(self.path)
        return mapping

    def _follow(self) -> Mapping:
        """The current file. Rarely looks whether the name stands for another file by now; at once if it was told."""
        now = time.monotonic()
        if not self._map.get("generation") or now >= self._look:
            self._look = now + LOOK_S
            with contextlib.suppress(FrameMapMissing, FileNotFoundError):
                if self.path.stat().st_ino != self._map.inode:
                    newer = self._open()
                    self._map.close()
                    self._map = newer
        return self._map

    @property
    def count(self) -> int:
        """Pictures published so far."""
        return self._follow().count

    @property
    def generation(self) -> int:
        """Rises with every resize and owner; 0 while the map is gone."""
        return self._follow().get("generation")

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the current generation."""
        shape = self._follow().shape
        return shape.width, shape.height

    def owner_alive(self) -> bool:
        """Whether the writer runs; False after it closed the map, died, or gave no sign for a minute."""
        return _lives(self._follow())

    def newest(self, out: Pixels | None = None) -> FrameSlot | None:
        """A copy of the newest picture; None when there is none yet in this generation.

        Args:
            out: where to put the pixels, used if its shape and type fit.

        """
        for _ in range(8):
            mapping = self._follow()
            count, shape = mapping.count, mapping.shape
            if not count:
                return None
            index = (count - 1) % shape.slots
            slot, ready = mapping.slots[index], 2 * count
            if int(slot["seq"][0]) != ready:
                if mapping.count == count:
                    return None  # counted in the generation before
                continue
            pixels = (
                out if out is not None and _fits(out, shape) else np.empty((shape.height, shape.width, 4), np.uint8)
            )
            np.copyto(pixels, mapping.pixels[index])
            pts, frame, sample = int(slot["pts_ns"][0]), int(slot["frame"][0]), int(slot["sample"][0])
            repeated, lift = bool(slot["flags"][0] & REPEATED), float(slot["lift"][0])
            if int(slot["seq"][0]) == ready:
                return FrameSlot(pixels, pts, frame, sample, repeated, count, lift)
        return None  # overtaken eight times running

    def wait(self, timeout: float, after_count: int) -> bool:
        """Wait until the count is another than `after_count`, looking every millisecond, more often when one is due.

        Returns:
            False when `timeout` seconds passed first.

        """
        end = time.monotonic() + timeout
        while self.count == after_count:
            if time.monotonic() >= end:
                return False
            time.sleep(self._rhythm.pause(time.monotonic_ns()))
        self._rhythm.note(self._map.count, self._map.get("heartbeat_ns"))
        return True

    def close(self) -> None:
        """Stop reading; the map itself is the writer's. May be called twice."""
        self._map.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _fits(out: Pixels, shape: Shape) -> bool:
    return out.shape == (shape.height, shape.width, 4) and out.dtype == np.uint8 and out.flags.writeable
