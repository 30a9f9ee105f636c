"""The sink `images:FOLDER[.FORMAT]`: numbered image files, each written atomically."""

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
from ...engine.plugins.interfaces import Available, Picture, StreamInfo
from ...engine.units import Pixels

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
    """Always available: PyAV has the encoders."""
    return Available(f"folders of {', '.join(FORMATS)}")


class ImagesSink:
    """Writes every picture, also repeated ones, as `frame_000001.png` and so on.

    Each size and rate gets its own folder: FOLDER, or FOLDER-2 and so on if that is not empty.

    Args:
        argument: the folder, followed by `.png` (default, 8 bit) or `.tiff16` for the format. If the folder's own
            name ends like that, the format must be given.

    Raises:
        SonoramaError: no folder is given, or it cannot be created there.

    """

    policy: Literal["latest", "every"] = "every"

    def __init__(self, argument: str) -> None:
        self.about = ""
        folder, _, name = argument.rpartition(".")
        if name not in FORMATS:
            folder, name = argument, "png"
        if not Path(folder).name:
            raise SonoramaError("The sink images needs a folder", "Write: --sink images:shots or images:shots.tiff16")
        if folder == "-":
            raise SonoramaError("The sink images cannot write to standard output", "Name a folder: --sink images:shots")
        self._format = FORMATS[name]
        self._wanted = Path(folder)
        if not self._wanted.parent.is_dir():
            raise OutputError(f"There is no folder {self._wanted.parent}", "Create it first, or choose another.")
        check_folder(self._wanted.parent, self._wanted)
        self._folder: Path | None = None
        self._number = 0
        self._last: tuple[Pixels, bytes] | None = None

    def open(self, info: StreamInfo) -> None:
        """Create a folder for the stream's pictures.

        Raises:
            OutputError: it cannot be created.

        """
        self.close()
        with translated(self._wanted):
            self._folder = next(filter(_taken, names_after(self._wanted)))
        self.about = str(self._folder)

    def send(self, picture: Picture) -> None:
        """Write a picture.

        Raises:
            OutputError: it cannot be encoded or written; the earlier ones are kept.

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
        """End the sequence; the next `open` begins another folder."""
        self._folder, self._number, self._last, self.about = None, 0, None, ""


def _taken(folder: Path) -> bool:
    """Create the folder, or use an empty one; False if it cannot be used. Raises OSError."""
    try:
        folder.mkdir()
    except FileExistsError:
        return folder.is_dir() and not any(folder.iterdir())
    return True
