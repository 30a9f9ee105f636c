"""The sink `camera[:DEVICE]`: a virtual camera, for programs that take a webcam.

pyvirtualcam, under the GPL 2, is installed by the user and loaded in a child process only (native.py).
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.errors import SonoramaError, one_line_error
from ...engine.plugins.interfaces import Available, Missing
from ...engine.units import Pixels
from .native import NativeSink, does_not_load

_DEVICES = {
    "linux": "Install v4l2loopback-dkms, then: sudo modprobe v4l2loopback",
    "win32": "Install OBS Studio, which brings a virtual camera, or Unity Capture.",
    "darwin": "Install OBS Studio and start its virtual camera once.",
}
"""System -> where a device comes from."""


def probe() -> Available | Missing:
    """Whether pyvirtualcam is installed, and on Linux whether there is a video device."""
    if lack := _lack():
        return lack
    if sys.platform == "linux" and not any(Path("/dev").glob("video*")):
        return Missing("there is no device of v4l2loopback", _DEVICES["linux"])
    return Available("a virtual camera")


def _lack() -> Missing | None:
    if importlib.util.find_spec("pyvirtualcam") is not None:
        return None
    return Missing("pyvirtualcam (GPL 2) is not installed", "pip install 'sonorama[camera]'")


class CameraSink(NativeSink):
    """Sends pictures to a virtual camera.

    Args:
        argument: the device, such as `/dev/video2` or `OBS Virtual Camera`; default: the first that is free.

    Raises:
        SonoramaError: pyvirtualcam is not installed.

    """

    target, title = "camera", "a virtual camera"

    def __init__(self, argument: str = "") -> None:
        super().__init__(argument or "-", _lack())


def open_target(name: str, library: Any = None) -> CameraTarget:
    """The camera; the name `-` takes the first that is free. Raises SonoramaError if the library does not load."""
    if library is None:
        try:
            library = importlib.import_module("pyvirtualcam")
        except (ImportError, OSError) as error:
            raise does_not_load("virtual cameras", error) from error
    return CameraTarget("" if name == "-" else name, library)


class CameraTarget:
    """A virtual camera. It is given PixelFormat.RGB, which pyvirtualcam converts for every kind of device: [H,W,3], red
    first, row 0 on top.
    """

    def __init__(self, device: str, library: Any) -> None:
        self._device, self._library = device, library
        self._camera: Any = None

    @property
    def about(self) -> str:
        """The device."""
        return "no device yet" if self._camera is None else str(self._camera.device)

    def resize(self, width: int, height: int, fps: Fraction) -> None:
        """Open the device in this size.

        Raises:
            SonoramaError: there is none, or it refuses the size.

        """
        self.close()
        form = self._library.PixelFormat.RGB
        try:
            self._camera = self._library.Camera(
                width=width, height=height, fps=float(fps), fmt=form, device=self._device or None
            )
        except (RuntimeError, ValueError) as error:
            message = f"No virtual camera of {width}x{height} can be opened: {one_line_error(error)}"
            raise SonoramaError(message, _DEVICES.get(sys.platform, _DEVICES["linux"])) from error

    def show(self, pixels: Pixels) -> None:
        """Send a picture."""
        self._camera.send(np.ascontiguousarray(pixels[..., :3]))

    def turn(self) -> None:
        """A camera has no run loop."""

    def close(self) -> None:
        """Close the device."""
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()
