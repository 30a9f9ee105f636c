"""The bytes of a frame map: docs/frame-map.md is the page for other programs, this the same in Python.

Little-endian throughout. One header of 4,096 bytes, then `slots` slots, each starting on a page.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from ..errors import SonoramaError
from .shared_paths import UnsafePath, create_private, open_private

MAGIC = b"SONOFMAP"
VERSION = 1
FOURCC = b"RGBA"
PAGE = 4096
SLOT_HEADER = 64
REPEATED = 1
"""Bit of a slot's flags."""
LARGEST_SIDE = 16384

HEADER = np.dtype(
    {
        "names": [
            "magic", "version", "width", "height", "stride", "fourcc", "slots", "slot_size", "data_offset",
            "generation", "owner", "orientation", "heartbeat_ns", "count", "owner_started",
        ],
        "formats": [
            "V8", "<u4", "<u4", "<u4", "<u4", "V4", "<u4", "<u8", "<u4", "<u4", "<u4", "<u4", "<i8", "<u8", "<f8",
        ],
        "offsets": [0, 8, 12, 16, 20, 24, 28, 32, 40, 44, 48, 52, 56, 64, 72],
        "itemsize": PAGE,
    }
)  # fmt: skip
"""orientation 0: row 0 on top. generation 0: this file is retired, look for a new one under the name."""

SLOT = np.dtype(
    {
        "names": ["seq", "pts_ns", "frame", "sample", "flags", "lift"],
        "formats": ["<u8", "<i8", "<i8", "<i8", "<u4", "<f4"],
        "offsets": [0, 8, 16, 24, 32, 36],
        "itemsize": SLOT_HEADER,
    }
)


class FrameMapMissing(SonoramaError):
    """There is no frame map of that name, or what is there is none."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Size of the pictures and how many slots hold them."""

    width: int
    height: int
    slots: int

    @property
    def slot_size(self) -> int:
        """Bytes from one slot to the next."""
        return -(-(SLOT_HEADER + self.width * self.height * 4) // PAGE) * PAGE

    @property
    def file_size(self) -> int:
        """Bytes of the whole file."""
        return PAGE + self.slots * self.slot_size


class Mapping:
    """One open file: arrays that look into it. They must not leave this module's users: copy what goes out."""

    def __init__(self, descriptor: int, shape: Shape, writable: bool) -> None:
        access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
        self._memory = mmap.mmap(descriptor, shape.file_size, access=access)
        self.inode = os.fstat(descriptor).st_ino
        self.shape = shape
        self.header = np.frombuffer(self._memory, HEADER, 1)
        self._count = self.header["count"]
        starts = [PAGE + index * shape.slot_size for index in range(shape.slots)]
        self.slots = [np.frombuffer(self._memory, SLOT, 1, start) for start in starts]
        self.pixels = [self._view(start + SLOT_HEADER) for start in starts]

    def _view(self, start: int) -> npt.NDArray[np.uint8]:
        width, height = self.shape.width, self.shape.height
        flat = np.frombuffer(self._memory, np.uint8, width * height * 4, start)
        return flat.reshape(height, width, 4)

    @classmethod
    def create(cls, path: Path, shape: Shape) -> Self:
        """Make a new file of that shape, all zero; its room is reserved, so that writing can never fail later.

        Raises:
            OSError: no room, or not allowed.

        """
        descriptor = create_private(path)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, shape.file_size)
            else:
                for _ in range(shape.file_size // PAGE):
                    os.write(descriptor, bytes(PAGE))
            return cls(descriptor, shape, writable=True)
        finally:
            os.close(descriptor)

    @classmethod
    def open(cls, path: Path, writable: bool = False) -> Self:
        """Map a file that is there.

        Raises:
            FrameMapMissing: there is none, or it is no frame map.

        """
        try:
            descriptor = open_private(path, writable)
        except UnsafePath as error:
            raise FrameMapMissing(error.message, error.hint) from error
        except OSError as error:
            hint = "Start the program that sends it, such as: sonorama live"
            raise FrameMapMissing(f"There is no frame map {path}", hint) from error
        try:
            return cls(descriptor, _read_shape(descriptor, path), writable)
        finally:
            os.close(descriptor)

    def get(self, field: str) -> int:
        """One number of the header."""
        return int(self.header[field][0])

    @property
    def started(self) -> float:
        """When the owner began, see `process_started`; 0 if it does not say."""
        return float(self.header["owner_started"][0])

    @property
    def count(self) -> int:
        """Pictures published so far."""
        return int(self._count[0])

    def retire(self) -> None:
        """Tell readers to look for a new file under the name."""
        self.header["generation"] = 0

    def close(self) -> None:
        """Unmap; may be called twice."""
        empty = np.zeros(1, HEADER)
        self.header, self._count, self.slots, self.pixels = empty, empty["count"], [], []
        with contextlib.suppress(BufferError):  # another thread is just copying: unmapped when it has done
            self._memory.close()


def _read_shape(descriptor: int, path: Path) -> Shape:
    foreign = FrameMapMissing(f"{path} is no frame map of this version", "Choose another name, or delete that file.")
    with os.fdopen(os.dup(descriptor), "rb") as file:
        data = file.read(PAGE)
    if len(data) < PAGE:
        raise foreign
    header = np.frombuffer(data, HEADER, 1)[0]
    if bytes(header["magic"]) != MAGIC or header["version"] != VERSION or bytes(header["fourcc"]) != FOURCC:
        raise foreign
    shape = Shape(int(header["width"]), int(header["height"]), int(header["slots"]))
    sane = 1 <= shape.width <= LARGEST_SIDE and 1 <= shape.height <= LARGEST_SIDE and 3 <= shape.slots <= 64
    told = (int(header["stride"]), int(header["slot_size"]), int(header["data_offset"]))
    expected = (shape.width * 4, shape.slot_size, PAGE)
    if not sane or told != expected or os.fstat(descriptor).st_size < shape.file_size:
        raise foreign
    return shape
