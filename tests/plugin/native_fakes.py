"""Stand-ins for Syphon, Spout and NDI in this process, with the names that the real libraries have."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np

from sonorama.engine.plugins.interfaces import Picture, StreamInfo
from sonorama.plugin.sinks.native import Target
from sonorama.plugin.sinks.ndi import NdiTarget
from sonorama.plugin.sinks.spout import SpoutTarget
from sonorama.plugin.sinks.syphon import SyphonTarget

Frames = list[np.ndarray]
"""What arrived, uint8 [H,W,3] RGB, as a viewer would see it: row 0 on top."""


RGBA, BGRA = (0, 1, 2), (2, 1, 0)
"""Where red, green and blue are in a pixel."""
METAL = {70: RGBA, 80: BGRA}
"""MTLPixelFormatRGBA8Unorm and MTLPixelFormatBGRA8Unorm, by their numbers in Metal."""
OPENGL = {0x1908: RGBA, 0x80E1: BGRA}
"""GL_RGBA and GL_BGRA_EXT, the formats of four bytes that Spout takes."""


@dataclass
class Shared:
    """A texture on the graphics card that sender and receivers share; both libraries make it BGRA.

    Attributes:
        rows: uint8 [H,W,3], blue first, as they lie in memory.
        first: which row of the picture comes first in memory, for every receiver.

    """

    rows: np.ndarray
    first: Literal["top", "bottom"]

    @classmethod
    def drawn(cls, pixels: np.ndarray, channels: tuple[int, int, int], first: Literal["top", "bottom"]) -> "Shared":
        """Draw pixels of another order of channels; rows stay as they are."""
        return cls(pixels[..., channels][..., ::-1].copy(), first)

    def received(self) -> np.ndarray:
        """What a viewer of the receiver sees: RGB, row 0 on top."""
        return self.rows[:: 1 if self.first == "top" else -1, :, ::-1].copy()


class Texture:
    """A Metal texture: it knows its size and pixel format, and holds bytes."""

    def __init__(self, width: int, height: int, pixel_format: int) -> None:
        self.size, self.form = (width, height), pixel_format
        self.pixels: np.ndarray | None = None

    def width(self) -> int:
        return self.size[0]

    def height(self) -> int:
        return self.size[1]

    def pixelFormat(self) -> int:  # noqa: N802
        return self.form


def syphon(frames: Frames, calls: list[str]) -> SimpleNamespace:
    """syphon-python 0.2: `SyphonMetalServer`, a texture, and a directory whose run loop has to be served.

    As in Syphon's SyphonMetalServer.m and SyphonServerRendererMetal.m: the shared surface is BGRA8Unorm, a texture of
    another format is drawn into it, rows are left as they are unless `is_flipped`. Row 0 of the surface is the bottom
    one, as in OpenGL, whose clients read the same surface.
    """
    served: list[bool] = []

    class Server:
        def __init__(self, name: str) -> None:
            calls.append(f"server {name}")
            self.device = "gpu"

        @property
        def has_clients(self) -> bool:
            return bool(served)  # clients hear of a server by the run loop

        def publish_frame_texture(
            self, texture: Texture, region: object = None, size: object = None, is_flipped: bool = False
        ) -> None:
            assert texture.pixels is not None and calls[-1] != "stop"
            rows = texture.pixels[:: -1 if is_flipped else 1]
            frames.append(Shared.drawn(rows, METAL[texture.pixelFormat()], "bottom").received())

        def stop(self) -> None:
            calls.append("stop")

    class Directory:
        def update_run_loop(self) -> None:
            served.append(True)
            calls.append("run loop")

    def create(device: object, width: int, height: int, pixel_format: int = 70) -> Texture:
        assert device == "gpu"
        return Texture(width, height, pixel_format)

    def copy(image: np.ndarray, texture: Texture) -> None:
        assert image.dtype == np.uint8 and image.shape == (texture.height(), texture.width(), 4)
        texture.pixels = image.copy()  # bytes: the format says what they mean

    return SimpleNamespace(
        SyphonMetalServer=Server, SyphonServerDirectory=Directory, create_mtl_texture=create,
        copy_image_to_mtl_texture=copy,
    )  # fmt: skip


def spout(frames: Frames, calls: list[str]) -> SimpleNamespace:
    """SpoutGL 0.1: `sendImage(buffer, width, height, format, invert, host_fbo)`, which is Spout's SendImage.

    The shared texture is one of DirectX, whose row 0 is the top one. SendImage draws the buffer's rows into it as they
    come, unless `invert`; its format says where red is.
    """

    class Sender:
        def setSenderName(self, name: str) -> None:  # noqa: N802
            calls.append(f"name {name}")

        def sendImage(  # noqa: N802
            self, buffer: np.ndarray, width: int, height: int, form: int, invert: bool, host_fbo: int
        ) -> bool:
            data = buffer.data
            assert data.c_contiguous and data.nbytes == width * height * 4 and host_fbo == 0
            if form not in OPENGL or "refuse" in calls:
                return False
            rows = np.frombuffer(data, np.uint8).reshape(height, width, 4)[:: -1 if invert else 1]
            frames.append(Shared.drawn(rows, OPENGL[form], "top").received())
            return True

        def setFrameSync(self, name: str) -> None:  # noqa: N802
            calls.append(f"sync {name}")

        def releaseSender(self) -> None:  # noqa: N802
            calls.append("release")

    return SimpleNamespace(SpoutSender=Sender)


def ndi(frames: Frames, calls: list[str]) -> SimpleNamespace:
    """cyndilib 0.1: a sender with one video frame, into which flat pictures are written."""

    class Frame:
        def set_resolution(self, width: int, height: int) -> None:
            assert width % 2 == 0
            self.size = (width, height)

        def set_frame_rate(self, fps: Fraction) -> None:
            calls.append(f"rate {fps}")

        def set_fourcc(self, fourcc: str) -> None:
            self.channels = {"RGBX": RGBA, "BGRX": BGRA}[fourcc]

    class Sender:
        def __init__(
            self, ndi_name: str, ndi_groups: str = "", clock_video: bool = True, clock_audio: bool = True
        ) -> None:
            assert not clock_video and not clock_audio and not ndi_groups
            calls.append(f"source {ndi_name}")

        def set_video_frame(self, frame: Frame) -> None:
            self.frame = frame

        def open(self) -> None:
            calls.append("open")

        def write_video_async(self, data: np.ndarray) -> bool:
            width, height = self.frame.size
            assert data.flags.writeable  # else the wrapper refuses it
            assert data.ndim == 1 and data.nbytes == width * height * 4 and calls[-1] != "close"
            frames.append(data.reshape(height, width, 4)[..., self.frame.channels])  # NDI's row 0 is the top one
            return True

        def get_num_connections(self, timeout: float) -> int:
            return 1 if timeout == 0 else -1

        def close(self) -> None:
            calls.append("close")

    return SimpleNamespace(Sender=Sender, VideoSendFrame=Frame, FourCC=SimpleNamespace(RGBX="RGBX", BGRX="BGRX"))


MAKERS: dict[str, tuple[Callable[[Frames, list[str]], SimpleNamespace], Callable[[str, Any], Target]]] = {
    "ndi": (ndi, NdiTarget), "spout": (spout, SpoutTarget), "syphon": (syphon, SyphonTarget),
}  # fmt: skip


class TargetSink:
    """A target as a sink, in this process."""

    policy: Literal["latest", "every"] = "latest"

    def __init__(self, kind: str) -> None:
        self.frames: Frames = []
        self.calls: list[str] = []
        library, self._make = MAKERS[kind]
        self._library = library(self.frames, self.calls)
        self._target: Target | None = None

    @property
    def about(self) -> str:
        return self._target.about if self._target else ""

    def open(self, info: StreamInfo) -> None:
        self._target = self._target or self._make("show", self._library)
        self._target.resize(info.width, info.height, info.fps)

    def send(self, picture: Picture) -> None:
        if self._target:
            self._target.show(picture.pixels.copy())  # as `play` does: an array that can be written to
            self._target.turn()
            del self.frames[:-2]

    def close(self) -> None:
        if self._target:
            self._target.close()
        self._target = None
