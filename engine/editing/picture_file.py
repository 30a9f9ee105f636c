"""Reads photos and the frames of videos as a world sees them: cropped to its shape, upright, float32 in -1..1."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
import torch.nn.functional as F
from av.error import FFmpegError
from torch import Tensor

from ..errors import InputError, one_line

ROUNDING = 0.0006
"""Seconds: Matroska rounds stamps to milliseconds, so that a frame may seem to begin after its time."""


def read_photo(path: Path, size: tuple[int, int]) -> Tensor:
    """A photo, or the first frame of a video, as [1,3,H,W] of size (width, height), in -1..1.

    Raises:
        InputError: the file cannot be read or shows nothing.

    """
    return next(_frames(path, size))[1]


def is_video(path: Path) -> bool:
    """Whether a file holds more than one picture. Raises InputError as `read_photo` does."""
    frames = _frames(path, (16, 16))
    next(frames)
    return next(frames, None) is not None


def read_video(path: Path, size: tuple[int, int], fps: Fraction, start: float = 0.0) -> Iterator[Tensor]:
    """The picture of a video at `start` + i / fps for i = 0, 1 ..., each [1,3,H,W] in -1..1.

    Raises:
        InputError: the file cannot be read or shows nothing from `start` on.

    """
    shown: Tensor | None = None
    index = 0
    for at, picture in _frames(path, size):
        while shown is not None and start + index / fps < at - ROUNDING:
            yield shown
            index += 1
        shown = picture
    if shown is None or (start and not index):
        hint = "Begin earlier." if start else "Give a photo or video."
        raise InputError(f"{one_line(path)} shows nothing from second {start:g} on", hint)
    yield shown


def _frames(path: Path, size: tuple[int, int]) -> Iterator[tuple[float, Tensor]]:
    """(seconds from the start, picture) of every frame; at least one."""
    hint = "Give a photo or video, such as .jpg or .mp4."
    refused = InputError(f"{one_line(path)} is no picture that can be read", hint)
    try:
        with av.open(f"file:{path.resolve()}", "r", metadata_errors="replace") as container:
            if not container.streams.video:
                raise refused
            stream = container.streams.video[0]
            still = container.format.name.endswith("_pipe") or container.format.name == "image2"
            if still and stream.codec_context.name == "mjpeg":  # what is missing of a JPEG would be green
                stream.codec_context.options = {"err_detect": "explode"}
            first: float | None = None
            for frame in container.decode(stream):
                at = float(frame.time or 0.0)
                first = at if first is None else first
                yield at - first, _upright(frame, size)
            if first is None:
                raise refused
    except (FFmpegError, OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            raise InputError(f"{one_line(path)} does not exist", "Give a photo or video.") from error
        raise refused from error


def _upright(frame: Any, size: tuple[int, int]) -> Tensor:
    """A decoded frame, turned as it says itself, cropped in the middle to a shape and scaled to it."""
    pixels = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))
    x = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    height, width = x.shape[2:]
    shape = size[0] / size[1]
    w, h = min(width, max(1, round(height * shape))), min(height, max(1, round(width / shape)))
    top, left = (height - h) // 2, (width - w) // 2
    x = x[:, :, top : top + h, left : left + w]
    return F.interpolate(x, (size[1], size[0]), mode="bicubic", antialias=True).clamp(-1, 1)
