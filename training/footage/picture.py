"""Renders a part of a decoded frame: upright, square pixels, sRGB, at a given size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

from ...engine.files.still import encode_still
from ...engine.units import Pixels
from .decode import Geometry
from .tone_mapping import HLG, PQ, tone_mapped

Picture: TypeAlias = Pixels
"""uint8 [H,W,3], sRGB."""

_MATRICES = {1: Colorspace.ITU709, 4: Colorspace.FCC, 5: Colorspace.ITU601, 6: Colorspace.ITU601,
             7: Colorspace.SMPTE240M, 9: Colorspace.BT2020, 10: Colorspace.BT2020}  # fmt: skip
_EXACT = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP


@dataclass(frozen=True)
class Box:
    """A rectangle of the upright picture, as shares of its width and height."""

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0


class Renderer:
    """Renders frames of one geometry.

    Args:
        geometry: of the frames.
        box: the part that is wanted.
        size: (width, height) of the result, of the box's aspect up to rounding.

    """

    def __init__(self, geometry: Geometry, box: Box, size: tuple[int, int]) -> None:
        self.size = size
        wide, high = max(size[0], round(size[0] / box.width)), max(size[1], round(size[1] / box.height))
        self._turns = geometry.turns
        self._whole = (high, wide) if geometry.turns % 2 else (wide, high)
        self._left = min(round(box.left * wide), wide - size[0])
        self._top = min(round(box.top * high), high - size[1])
        down = min(geometry.width / self._whole[0], geometry.height / self._whole[1])
        self._kernel = (Interpolation.AREA if down >= 2 else Interpolation.BICUBIC) | _EXACT
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> Picture:
        """Render one frame. Raises ValueError or FFmpegError for a pixel format that cannot be converted."""
        hdr = frame.color_trc in (PQ, HLG)
        scaled = self._reformatter.reformat(
            frame, *self._whole, "rgb48le" if hdr else "rgb24",
            src_colorspace=matrix_of(frame), interpolation=self._kernel,
        )  # fmt: skip
        pixels = scaled.to_ndarray()
        picture = tone_mapped(pixels.astype(np.uint16), frame.color_trc) if hdr else pixels.astype(np.uint8)
        upright = np.rot90(picture, self._turns)
        return np.ascontiguousarray(
            upright[self._top : self._top + self.size[1], self._left : self._left + self.size[0]]
        )


def matrix_of(frame: VideoFrame) -> Colorspace | None:
    """The YUV matrix of a frame: as tagged, else BT.2020 for HDR, BT.709 for HD and BT.601 for smaller pictures."""
    if frame.format.is_rgb or frame.colorspace in _MATRICES:
        return _MATRICES.get(frame.colorspace)
    if frame.color_trc in (PQ, HLG):
        return Colorspace.BT2020
    return Colorspace.ITU709 if max(frame.width, frame.height) >= 1280 else Colorspace.ITU601


def fit(shown: tuple[int, int], short_side: int) -> tuple[int, int]:
    """(width, height) with a short side of at most `short_side` and the aspect of `shown`; never larger than it."""
    scale = min(1.0, short_side / min(shown))
    return max(1, round(shown[0] * scale)), max(1, round(shown[1] * scale))


def jpeg(picture: Picture) -> bytes:
    """A JPEG file without chroma subsampling, of FFmpeg's finest quality (qscale 2)."""
    frame = VideoFrame.from_ndarray(picture, "rgb24").reformat(
        format="yuvj444p", dst_colorspace=Colorspace.ITU601, dst_color_range=2, interpolation=_EXACT
    )
    return encode_still(frame, "mjpeg", {"flags": "+qscale", "global_quality": "236", "huffman": "optimal"})
