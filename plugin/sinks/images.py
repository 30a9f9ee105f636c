"""`images:FOLDER[.FORMAT]`: numbered pictures, each complete under its name or not there at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame

from ...engine.errors import OutputError, SonoramaError
from ...engine.files.atomic import check_folder, names_after, translated, write_bytes
from ...engine.files.encode import BT709
from ...engine.files.still import encode_still
from ...engine.plugins.interfaces import Available, Picture, Pixels, StreamInfo

_FULL, _SRGB = 2, 13  # AVColorRange; ITU-T H.273


@dataclass(frozen=True, slots=True)
class _Format:
    suffix: str
    codec: str
    options: dict[str, str]
    frame: Callable[[Pixels], VideoFrame]


def _rgb(pixels: Pixels) -> VideoFrame:
    return VideoFrame.from_ndarray(np.ascontiguousarray(pixels[..., :3]), "rgb24")


def _rgb16(pixels: Pixels) -> VideoFrame:
    return VideoFrame.from_ndarray(pixels[..., :3].astype(np.uint16) * 257, "rgb48le")


FORMATS = {
    "png": _Format(".png", "png", {"compression_level": "1"}, _rgb),
    "tiff16": _Format(".tif", "tiff", {"compression_algo": "deflate"}, _rgb16),
}


def probe() -> Available:
    """PyAV brings what it needs."""
    return Available(f"folders of {', '.join(FORMATS)}")


class ImagesSink:
    """Writes every picture that it is given as `frame_000001.png` and so on, a repeated one too.

    Each size and rate gets a folder of its own: FOLDER, and FOLDER-2 and so on where that holds something already.

    Args:
        argument: the folder, with `.png` (default, 8 bit) or `.tiff16` behind it for the format. A folder whose own
            name ends so needs its format said.

    Raises:
        SonoramaError: no folder is named, or it cannot be made there.

    """

    policy: Literal["latest", "every"] = "every"

    def __init__(self, argument: str) -> None:
        self.about = ""
        folder, _, name = argument.rpartition(".")
        if name not in FORMATS:
            folder, name = argument, "png"
        if not Path(folder).name:
            raise SonoramaError("The sink images needs a folder", "Say: --sink images:shots or images:shots.tiff16")
        self._format = FORMATS[name]
        self._wanted = Path(folder)
        if not self._wanted.parent.is_dir():
            raise OutputError(f"There is no folder {self._wanted.parent}", "Make it first, or choose another.")
        check_folder(self._wanted.parent, self._wanted)
        self._folder: Path | None = None
        self._number = 0
        self._last: tuple[Pixels, bytes] | None = None

    def open(self, info: StreamInfo) -> None:
        """Make a folder.

        Raises:
            OutputError: it cannot be made.

        """
        self.close()
        with translated(self._wanted):
            self._folder = next(filter(_taken, names_after(self._wanted)))
        self.about = str(self._folder)

    def send(self, picture: Picture) -> None:
        """Write it.

        Raises:
            OutputError: it cannot be written; the pictures before it stay.

        """
        if self._folder is None:
            return
        path = self._folder / f"frame_{self._number + 1:06}{self._format.suffix}"
        write_bytes(path, self._encoded(picture.pixels, path), new=True)
        self._number += 1

    def _encoded(self, pixels: Pixels, path: Path) -> bytes:
        if self._last is not None and self._last[0] is pixels:
            return self._last[1]
        frame = self._format.frame(pixels)
        frame.color_range, frame.color_trc, frame.color_primaries = _FULL, _SRGB, BT709
        try:
            data = encode_still(frame, self._format.codec, self._format.options)
        except FFmpegError as error:
            raise OutputError(f"{path} could not be encoded: {error.strerror}", "Choose another format.") from error
        self._last = pixels, data
        return data

    def close(self) -> None:
        """Pictures that are there stay; the next `open` begins another folder."""
        self._folder, self._number, self._last, self.about = None, 0, None, ""


def _taken(folder: Path) -> bool:
    """Make the folder, or take an empty one; False where there is something else. Raises OSError."""
    try:
        folder.mkdir()
    except FileExistsError:
        return folder.is_dir() and not any(folder.iterdir())
    return True
