"""Thumbnails of scenes: a small JPEG of what is painted when a scene is stored, beside the file of scenes.

The thread that writes to disk takes the picture from the renderer's frame map, before the output controls, so that
neither the control loop nor the outputs wait for it. Nothing depends on these files.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from av.error import FFmpegError
from av.video.frame import VideoFrame

from ..control.scenes import thumbnail_file
from ..errors import OutputError
from ..files.atomic import write_bytes
from ..files.still import encode_still
from ..ipc.frame_map import FrameMap, FrameMapMissing
from ..ipc.shared_paths import inner_name
from ..units import Pixels

LARGEST = (192, 108)
"""Width and height in pixels that a thumbnail fits into."""
_OPTIONS = {"qmin": "3", "qmax": "3"}


class Thumbnails:
    """Takes the thumbnails of one show.

    Args:
        name: of the show.
        write: called with (kind, job) for what is written to disk, in another thread.

    """

    def __init__(self, name: str, write: Callable[[str, Callable[[], None]], None]) -> None:
        self._name, self._write = name, write

    def keep(self, slot: int, shown: bool) -> None:
        """The scene in a slot, 1 to 8, is another one now. Never waits.

        shown: whether it is what is seen; else there is no thumbnail of it.
        """
        self._write(f"thumbnail {slot}", partial(self._save, thumbnail_file(self._name, slot), shown))

    def _save(self, file: Path, shown: bool) -> None:
        """Raises OutputError: it cannot be written."""
        pixels = self._painted() if shown else None
        try:
            if pixels is None:
                file.unlink(missing_ok=True)  # that of the scene before would be of another picture
                return
            file.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(file, jpeg(pixels))
        except (OSError, OutputError, FFmpegError) as error:
            message = f"There is no thumbnail of this scene: {file.name} cannot be written"
            raise OutputError(message, f"The scene is stored. Allow writing in {file.parent}.") from error

    def _painted(self) -> Pixels | None:
        """The newest picture of the renderer, RGBA8 [H,W,4]; None where there is none."""
        try:
            with FrameMap.open(inner_name(self._name)) as frames:
                slot = frames.newest()
        except FrameMapMissing:
            return None
        return None if slot is None else slot.pixels


def jpeg(pixels: Pixels) -> bytes:
    """Content of a JPEG of a picture, RGBA8 [H,W,4], made so small that it fits into LARGEST."""
    height, width = pixels.shape[:2]
    scale = min(LARGEST[0] / width, LARGEST[1] / height, 1.0)
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    frame = VideoFrame.from_ndarray(pixels, "rgba").reformat(*size, "yuvj420p")
    return encode_still(frame, "mjpeg", _OPTIONS)
