"""A stand-in for pyvirtualcam 0.15, with its names and checks; each picture becomes a line of $FAKE_CAMERA_LOG."""

import enum
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np


class PixelFormat(enum.Enum):
    RGB = "raw "
    BGR = "24BG"


class Camera:
    """What the real class takes and refuses."""

    def __init__(
        self, width: int, height: int, fps: float, *, fmt: PixelFormat = PixelFormat.RGB, device: str | None = None,
        backend: str | None = None, print_fps: bool = False,
    ) -> None:  # fmt: skip
        del backend, print_fps
        self.fmt = fmt
        if device == "/dev/none":
            raise RuntimeError("'v4l2loopback' backend: No v4l2 loopback device")
        sys.stdout.write("a library that talks\n")
        sys.stdout.flush()
        self.width, self.height, self.fps = width, height, fps
        self.device = device or "/dev/video7"
        self._log = Path(os.environ["FAKE_CAMERA_LOG"])
        self._say(f"open {width}x{height} {fps:g} {self.device}")

    def _say(self, line: str) -> None:
        with self._log.open("a") as file:
            file.write(f"{line}\n")

    def send(self, frame: "np.ndarray[Any, Any]") -> None:
        if frame.dtype != np.uint8 or frame.shape != (self.height, self.width, 3) or not frame.flags.c_contiguous:
            raise ValueError(f"unexpected frame: {frame.shape} {frame.dtype}")
        seen = frame if self.fmt is PixelFormat.RGB else frame[..., ::-1]  # as a viewer of the camera sees it: RGB
        corners = [tuple(int(one) for one in seen[y, x]) for y in (1, -2) for x in (1, -2)]
        self._say(f"frame {frame.shape[1]} {corners}")
        if (order := os.environ.get("FAKE_CAMERA_DIES")) and Path(order).exists():
            os.abort()

    def close(self) -> None:
        self._say("close")
