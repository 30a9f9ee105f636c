"""The sink `ndi[:NAME]`: pictures over the network to programs that receive NDI.

The wrapper cyndilib (MIT) is installed by the user; it brings the library of NDI, which is proprietary and therefore
never a part of sonorama. It is loaded in a child process only (native.py).
"""

from __future__ import annotations

import importlib
import importlib.util
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from ...engine.plugins.interfaces import Available, Missing
from ...engine.units import Pixels
from .native import NativeSink, does_not_load

TERMS = (
    "NDI(R) is a registered trademark of Vizrt NDI AB, https://ndi.video; its library is proprietary, by using it you "
    "accept its licence, http://ndi.link/ndisdk_license"
)
"""Shown whenever the sink is used."""


def probe() -> Available | Missing:
    """Whether cyndilib is installed."""
    return _lack() or Available(f"to receivers of NDI on the network. {TERMS}")


def _lack() -> Missing | None:
    if importlib.util.find_spec("cyndilib") is not None:
        return None
    return Missing(
        "cyndilib, with the proprietary library of NDI, is not installed", "If you accept its licence "
        "(http://ndi.link/ndisdk_license): pip install 'sonorama[ndi]'. NDI(R) is a trademark of Vizrt NDI AB.",
    )  # fmt: skip


class NdiSink(NativeSink):
    """Sends pictures as an NDI source, which others on the network can receive.

    Args:
        argument: name of the source; default: the show's.

    Raises:
        SonoramaError: cyndilib is not installed.

    """

    target, title = "ndi", "NDI"

    def __init__(self, argument: str = "") -> None:
        super().__init__(argument, _lack())

    @property
    def about(self) -> str:
        """The source and its receivers, with the terms of the library."""
        said = super().about
        return f"{said}. {TERMS}" if said else ""


def open_target(name: str, library: Any = None) -> NdiTarget:
    """The sender. Raises SonoramaError if the library does not load."""
    return NdiTarget(name, library or _library())


def _library() -> SimpleNamespace:
    """What is used of cyndilib."""
    try:
        sender, frame = importlib.import_module("cyndilib.sender"), importlib.import_module("cyndilib.video_frame")
        wrapper = importlib.import_module("cyndilib.wrapper.ndi_structs")
    except (ImportError, OSError) as error:
        raise does_not_load("NDI", error) from error
    return SimpleNamespace(Sender=sender.Sender, VideoSendFrame=frame.VideoSendFrame, FourCC=wrapper.FourCC)


class NdiTarget:
    """An NDI source. NDI wants even widths, so an odd one loses its last column."""

    def __init__(self, name: str, library: Any) -> None:
        self._name, self._library = name, library
        self._sender: Any = None
        self._width = 0

    @property
    def about(self) -> str:
        """The name of the source, and how many receive it."""
        if self._sender is None:
            return f"source {self._name}"
        count = self._sender.get_num_connections(0)
        return f"source {self._name}, {count} {'receiver' if count == 1 else 'receivers'}"

    def resize(self, width: int, height: int, fps: Fraction) -> None:
        """Begin a source of this size; receivers of the one before find it again by its name."""
        self.close()
        frame = self._library.VideoSendFrame()
        self._width = max(2, width // 2 * 2)
        frame.set_resolution(self._width, height)
        frame.set_frame_rate(fps)
        frame.set_fourcc(self._library.FourCC.RGBX)
        # The show has its own clock: the library must not add another.
        self._sender = self._library.Sender(self._name, clock_video=False, clock_audio=False)
        self._sender.set_video_frame(frame)
        self._sender.open()

    def show(self, pixels: Pixels) -> None:
        """Send a picture; it is compressed in a thread of the library."""
        even = pixels[:, : self._width]
        if even.shape[1] < self._width:  # one column wide
            even = even.repeat(2, 1)
        self._sender.write_video_async(even.reshape(-1))

    def turn(self) -> None:
        """NDI has threads of its own."""

    def close(self) -> None:
        """End the source."""
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.close()
