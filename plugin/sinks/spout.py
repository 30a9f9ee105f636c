"""The sink `spout[:NAME]`: pictures for other programs on Windows, such as Resolume and TouchDesigner.

Written to the interface of SpoutGL 0.1; not run on Windows by us.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from fractions import Fraction
from typing import Any

from ...engine.errors import SonoramaError
from ...engine.plugins.interfaces import Available, Missing
from ...engine.units import Pixels
from .native import NativeSink, does_not_load

GL_RGBA = 0x1908
"""OpenGL's number of the format."""


def probe() -> Available | Missing:
    """Whether this is Windows, and SpoutGL is installed."""
    return _lack() or Available("to receivers of Spout")


def _lack() -> Missing | None:
    if sys.platform != "win32":
        return Missing("Spout is for Windows", "On macOS use --sink syphon, anywhere --sink stream.")
    if importlib.util.find_spec("SpoutGL") is None:
        return Missing("SpoutGL is not installed", "pip install SpoutGL")
    return None


class SpoutSink(NativeSink):
    """Sends pictures as a Spout sender.

    Args:
        argument: name of the sender; default: the show's.

    Raises:
        SonoramaError: this is not Windows, or SpoutGL is not installed.

    """

    target, title = "spout", "Spout"

    def __init__(self, argument: str = "") -> None:
        super().__init__(argument, _lack())


def open_target(name: str, library: Any = None) -> SpoutTarget:
    """The sender. Raises SonoramaError if the library does not load."""
    if library is None:
        try:
            library = importlib.import_module("SpoutGL")
        except (ImportError, OSError) as error:
            raise does_not_load("Spout", error) from error
    return SpoutTarget(name, library)


class SpoutTarget:
    """A Spout sender, which follows changes of size by itself."""

    def __init__(self, name: str, library: Any) -> None:
        self._name = name
        self._sender = library.SpoutSender()
        self._sender.setSenderName(name)

    @property
    def about(self) -> str:
        """The name of the sender. Spout does not say who receives."""
        return f"sender {self._name}"

    def resize(self, width: int, height: int, fps: Fraction) -> None:
        """Each picture brings its size."""

    def show(self, pixels: Pixels) -> None:
        """Send a picture. Row 0 of the shared texture, one of DirectX, is the top one, and SendImage draws rows into it
        as they come; so it is not inverted, which is SendImage's default (SpoutSender.h; SendTexture, for textures of
        OpenGL, inverts by default). GL_RGBA says that red is the first byte.

        Raises:
            SonoramaError: the graphics card or its driver refuses.

        """
        height, width = pixels.shape[:2]
        if not self._sender.sendImage(pixels, width, height, GL_RGBA, False, 0):
            raise SonoramaError("Spout did not take a picture", "Update the driver of the graphics card.")
        self._sender.setFrameSync(self._name)

    def turn(self) -> None:
        """Spout has no run loop."""

    def close(self) -> None:
        """Remove the sender."""
        self._sender.releaseSender()
