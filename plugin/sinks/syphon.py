"""The sink `syphon[:NAME]`: pictures for other programs on macOS, such as VDMX, MadMapper and Resolume.

Written to the interface of syphon-python 0.2; not run on macOS by us.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from ...engine.plugins.interfaces import Available, Missing
from ...engine.units import Pixels
from .native import NativeSink, does_not_load

RGBA8_UNORM = 70
"""Metal's number of the pixel format, MTLPixelFormatRGBA8Unorm: one byte a channel, red first, as our pictures."""


def probe() -> Available | Missing:
    """Whether this is macOS, and syphon-python is installed."""
    return _lack() or Available("to clients of Syphon")


def _lack() -> Missing | None:
    if sys.platform != "darwin":
        return Missing("Syphon is for macOS", "On Windows use --sink spout, anywhere --sink stream.")
    if importlib.util.find_spec("syphon") is None:
        return Missing("syphon-python is not installed", "pip install syphon-python")
    return None


class SyphonSink(NativeSink):
    """Sends pictures as a Syphon server.

    Args:
        argument: name of the server; default: the show's.

    Raises:
        SonoramaError: this is not macOS, or syphon-python is not installed.

    """

    target, title = "syphon", "Syphon"

    def __init__(self, argument: str = "") -> None:
        super().__init__(argument, _lack())


def open_target(name: str, library: Any = None) -> SyphonTarget:
    """The server. Raises SonoramaError if the library does not load."""
    return SyphonTarget(name, library or _library())


def _library() -> SimpleNamespace:
    """What is used of syphon-python."""
    try:
        syphon = importlib.import_module("syphon")
        raw, arrays = importlib.import_module("syphon.utils.raw"), importlib.import_module("syphon.utils.numpy")
    except (ImportError, OSError) as error:
        raise does_not_load("Syphon", error) from error
    return SimpleNamespace(
        SyphonMetalServer=syphon.SyphonMetalServer, SyphonServerDirectory=syphon.SyphonServerDirectory,
        create_mtl_texture=raw.create_mtl_texture, copy_image_to_mtl_texture=arrays.copy_image_to_mtl_texture,
    )  # fmt: skip


class SyphonTarget:
    """A Syphon server on Metal."""

    def __init__(self, name: str, library: Any) -> None:
        self._name, self._library = name, library
        self._server = library.SyphonMetalServer(name)
        self._directory = library.SyphonServerDirectory()
        self._texture: Any = None

    @property
    def about(self) -> str:
        """The name of the server, and whether somebody looks."""
        return f"server {self._name}, {'with' if self._server.has_clients else 'no'} clients"

    def resize(self, width: int, height: int, fps: Fraction) -> None:
        """Make a texture of this size. Syphon draws it into its shared surface, which is BGRA, and so converts it."""
        self._texture = self._library.create_mtl_texture(self._server.device, width, height, RGBA8_UNORM)

    def show(self, pixels: Pixels) -> None:
        """Publish a picture.

        Row 0 of Syphon's surface is the bottom one for all its clients, as in OpenGL; SyphonServerRendererMetal.m
        leaves the rows of a texture as they are unless it is told that it is flipped. Our row 0 is the top one, so it
        is. syphon-python does the same with OpenCV's pictures (examples/MetalServerVideoExample.py); False is only the
        default, for textures that were drawn with their origin at the bottom.
        """
        self._library.copy_image_to_mtl_texture(pixels, self._texture)
        self._server.publish_frame_texture(self._texture, is_flipped=True)

    def turn(self) -> None:
        """Serve the run loop, without which no client hears of the server."""
        self._directory.update_run_loop()

    def close(self) -> None:
        """End the server."""
        self._server.stop()
