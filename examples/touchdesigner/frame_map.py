"""Reads the pictures of a running sonorama show from shared memory (docs/frame-map.md). Needs numpy only.

A program (`python3 frame_map.py sonorama`), which writes them to its output as PAM images, and a module: in
TouchDesigner a Text DAT called `frame_map`.
"""

import mmap
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HEADER = np.dtype(
    {
        "names": [
            "magic",
            "version",
            "width",
            "height",
            "stride",
            "fourcc",
            "slots",
            "slot_size",
            "data_offset",
            "generation",
            "owner",
            "orientation",
            "heartbeat_ns",
            "count",
        ],
        "formats": ["V8", "<u4", "<u4", "<u4", "<u4", "V4", "<u4", "<u8", "<u4", "<u4", "<u4", "<u4", "<i8", "<u8"],
        "offsets": [0, 8, 12, 16, 20, 24, 28, 32, 40, 44, 48, 52, 56, 64],
        "itemsize": 4096,
    }
)
PIXELS = 64  # after the header of a slot, which begins with its seq


class FrameMap:
    """Reads one map by its name, through resizes and from owner to owner."""

    def __init__(self, name: str) -> None:
        memory = Path("/dev/shm")  # noqa: S108 (shared memory on Linux)
        self.path = (memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())) / f"sonorama-{name}"
        self.memory = self.header = None
        self.last = 0
        self.look = 0.0

    def alive(self) -> bool:
        """Whether a show writes the map that is open."""
        if self.header is None or self.header["generation"][0] == 0:
            return False
        return time.monotonic_ns() - int(self.header["heartbeat_ns"][0]) < 1_000_000_000

    def newest(self) -> "np.ndarray | None":
        """The newest picture, uint8 [height, width, 4], row 0 on top; None if there is none but the one before."""
        if not self.alive():
            self._open()
        while self.header is not None and self.memory is not None:
            count = int(self.header["count"][0])
            if count in (0, self.last):
                return None
            start = int(self.header["data_offset"][0]) + (count - 1) % self.slots * self.slot_size
            seq = np.frombuffer(self.memory, "<u8", 1, start)
            if seq[0] == 2 * count:
                pixels = np.frombuffer(self.memory, np.uint8, self.height * self.width * 4, start + PIXELS).copy()
                if seq[0] == 2 * count:
                    self.last = count
                    return pixels.reshape(self.height, self.width, 4)
            elif count == int(self.header["count"][0]):
                return None  # counted in the generation before
        return None

    def _open(self) -> None:
        """Take what stands under the name now; keep what is open if there is nothing."""
        if time.monotonic() < self.look:
            return
        self.look = time.monotonic() + 0.1
        try:
            with self.path.open("rb") as file:
                memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            return
        if len(memory) < 4096 or memory[:8] != b"SONOFMAP" or memory[8:12] != b"\1\0\0\0" or memory[24:28] != b"RGBA":
            return
        self.memory, self.header = memory, np.frombuffer(memory, HEADER, 1)
        self.width, self.height, self.slots, self.slot_size = (
            int(self.header[field][0]) for field in ("width", "height", "slots", "slot_size")
        )


def main() -> None:
    """Write pictures to the output, and whether there is a show to the error output."""
    reader, alive = FrameMap(sys.argv[1]), None
    while True:
        pixels = reader.newest()
        if pixels is not None:
            size = f"WIDTH {pixels.shape[1]}\nHEIGHT {pixels.shape[0]}"
            head = f"P7\n{size}\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
            sys.stdout.buffer.write(head.encode() + pixels.tobytes())
            sys.stdout.buffer.flush()
        if reader.alive() != alive:
            alive = reader.alive()
            sys.stderr.write("live\n" if alive else "no owner\n")
            sys.stderr.flush()
        time.sleep(0.001)


if __name__ == "__main__":
    main()
