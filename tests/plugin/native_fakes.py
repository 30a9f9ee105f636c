"""Stand-ins for Syphon, Spout and NDI in this process, with the names that the real libraries have."""

from collections.abc import Callable
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


def syphon(frames: Frames, calls: list[str]) -> SimpleNamespace:
    """syphon-python 0.2: `SyphonMetalServer`, a texture, and a directory whose run loop has to be served."""

    class Server:
        def __init__(self, name: str) -> None:
            calls.append(f"server {name}")
            self.device, self.has_clients = "gpu", True

        def publish_frame_texture(
            self, texture: dict[str, Any], region: object = None, size: object = None, is_flipped: bool = False
        ) -> None:
            rows = texture["pixels"][::-1] if not is_flipped else texture["pixels"]  # its own row 0 is the bottom one
            frames.append(rows[..., :3].copy())

        def stop(self) -> None:
            calls.append("stop")

    class Directory:
        def update_run_loop(self) -> None:
            calls.append("run loop")

    def create(device: object, width: int, height: int) -> dict[str, Any]:
        assert device == "gpu"
        return {"size": (width, height)}

    def copy(image: np.ndarray, texture: dict[str, Any]) -> None:
        assert image.dtype == np.uint8 and image.shape == (texture["size"][1], texture["size"][0], 4)
        texture["pixels"] = image.copy()

    return SimpleNamespace(
        SyphonMetalServer=Server, SyphonServerDirectory=Directory, create_mtl_texture=create,
        copy_image_to_mtl_texture=copy,
    )  # fmt: skip


def spout(frames: Frames, calls: list[str]) -> SimpleNamespace:
    """SpoutGL 0.1: `sendImage(buffer, width, height, format, invert, host_fbo)`."""

    class Sender:
        def setSenderName(self, name: str) -> None:  # noqa: N802
            calls.append(f"name {name}")

        def sendImage(  # noqa: N802
            self, buffer: np.ndarray, width: int, height: int, form: int, invert: bool, host_fbo: int
        ) -> bool:
            data = buffer.data
            assert data.c_contiguous and data.nbytes == width * height * 4 and (form, host_fbo) == (0x1908, 0)
            rows = np.frombuffer(data, np.uint8).reshape(height, width, 4)
            frames.append(rows[:: -1 if invert else 1, :, :3].copy())
            return "refuse" not in calls

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
            assert fourcc == "RGBX"

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
            frames.append(data.reshape(height, width, 4)[..., :3].copy())
            return True

        def get_num_connections(self, timeout: float) -> int:
            return 1 if timeout == 0 else -1

        def close(self) -> None:
            calls.append("close")

    return SimpleNamespace(Sender=Sender, VideoSendFrame=Frame, FourCC=SimpleNamespace(RGBX="RGBX"))


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
