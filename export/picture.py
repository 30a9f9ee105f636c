"""One frame's way to the encoder: colour in exact arithmetic, then scaling and bit depth by swscale.

A frame becomes three planes of 16 bits at its own small size. For films these are Y'CbCr (BT.709, limited
range), for sequences R'G'B'; swscale sees "yuv444p16le" both times and therefore changes no colour at all.
(Its own RGB to YUV step is off by 3 of 1,023 levels, measured; this way stays within one.)
"""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane

from ..engine.files.encode import BT709, LIMITED
from .presets import Preset

Fit = Literal["cover", "contain", "mirror"]
FITS: tuple[Fit, ...] = ("cover", "contain", "mirror")

FULL, GBR, SRGB, LINEAR = 2, 0, 13, 8  # as BT709 and LIMITED
_KR, _KB = 0.2126, 0.0722  # ITU-R BT.709
_KG = 1 - _KR - _KB
_YCC = np.array(
    [
        [_KR, _KG, _KB],
        [-_KR / (2 - 2 * _KB), -_KG / (2 - 2 * _KB), 0.5],
        [0.5, -_KG / (2 - 2 * _KR), -_KB / (2 - 2 * _KR)],
    ]
)
_YCC_SCALE = (np.array([[219.0], [224.0], [224.0]]) * 256 * _YCC).astype(np.float32)
_YCC_BIAS = (np.array([[16.0], [128.0], [128.0]]) * 256 + 0.5).astype(np.float32)


class Converter:
    """Turns frames of one size into what the encoder takes: size, fit, pixel format, colour tags.

    Args:
        preset: what the encoder wants.
        source: (width, height) of the frames that come in.
        size: (width, height) that go out.
        fit: cover crops what sticks out, contain adds black bars, mirror fills the bars with mirrored copies.

    """

    def __init__(self, preset: Preset, source: tuple[int, int], size: tuple[int, int], fit: Fit) -> None:
        self._preset = preset
        self._source = source
        self._size = size
        self._pad = mirror_margins(source, size) if fit == "mirror" else (0, 0)
        width, height = source[0] + 2 * self._pad[0], source[1] + 2 * self._pad[1]
        self._graph = _graph((width, height), size, fit, preset)
        self._unit = np.empty((3, source[1], source[0]), np.float32)
        self._mixed = np.empty_like(self._unit)
        self._count = 0

    def __call__(self, frame: np.ndarray) -> VideoFrame:
        """Convert uint8 or float32 (0..1) [height, width, 3], row 0 on top.

        Raises:
            ValueError: another shape or type; uint8 for a deep preset.

        """
        height, width = self._source[1], self._source[0]
        if frame.shape != (height, width, 3):
            raise ValueError(f"a frame is {frame.shape}, not {(height, width, 3)}")
        if frame.dtype != np.float32 and (self._preset.deep or frame.dtype != np.uint8):
            raise ValueError(f"preset {self._preset.name} does not take {frame.dtype} frames")
        picture = self._scaled(self._planes(frame))
        return self._still(picture) if self._preset.sequence else picture

    def _planes(self, frame: np.ndarray) -> np.ndarray:
        """float32 [3, height, width] in 16-bit units plus 0.5: Y'CbCr for films, R'G'B' for sequences."""
        unit, picture = (
            self._unit,
            self._mixed,
        )  # kept from frame to frame: fresh pages cost more than the sums
        white = np.float32(255 if frame.dtype == np.uint8 else 1)
        np.clip(np.moveaxis(frame, 2, 0), 0, white, out=unit, dtype=np.float32)
        if self._preset.sequence:
            np.multiply(unit, np.float32(65535) / white, out=picture)
            picture += np.float32(0.5)
        else:
            np.matmul(_YCC_SCALE / white, unit.reshape(3, -1), out=picture.reshape(3, -1))
            picture += _YCC_BIAS[:, :, None]
        margin_x, margin_y = self._pad
        if margin_x or margin_y:
            picture = np.pad(picture, ((0, 0), (margin_y, margin_y), (margin_x, margin_x)), "symmetric")
        return picture

    def _scaled(self, planes: np.ndarray) -> VideoFrame:
        _, height, width = planes.shape
        frame = VideoFrame(width, height, "yuv444p16le")
        for plane, values in zip(frame.planes, planes, strict=True):
            np.copyto(_view(plane), values, casting="unsafe")  # drops the fraction
        frame.pts = self._count
        frame.colorspace, frame.color_range = BT709, LIMITED
        self._count += 1
        self._graph.vpush(frame)
        out = self._graph.vpull()
        out.colorspace, out.color_range, out.color_trc, out.color_primaries = BT709, LIMITED, BT709, BT709
        return out

    def _still(self, planes: VideoFrame) -> VideoFrame:
        """R'G'B' planes in disguise -> a picture as the encoder of the sequence wants it, with black bars."""
        picture = np.stack([_view(plane) for plane in planes.planes], axis=2)
        linear = self._preset.pixels == "gbrpf32le"
        picture = _letterboxed(_LINEAR[picture] if linear else picture, self._size)
        frame = VideoFrame.from_ndarray(picture, self._preset.pixels)
        frame.colorspace, frame.color_range = GBR, FULL
        frame.color_trc, frame.color_primaries = (LINEAR if linear else SRGB), BT709
        return frame


def mirror_margins(source: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """Source pixels to add (left and right, above and below) until the shape of `size` is filled."""
    (width, height), (out_width, out_height) = source, size
    wide = max(0, -(-height * out_width // out_height) - width)
    high = max(0, -(-width * out_height // out_width) - height)
    return (wide + 1) // 2, (high + 1) // 2


def fitted(source: tuple[int, int], size: tuple[int, int], fit: Fit) -> tuple[int, int]:
    """Size (width, height) of the whole source when it covers `size`, or is contained in it, unstretched."""
    scales = [out / n for n, out in zip(source, size, strict=True)]
    scale = min(scales) if fit == "contain" else max(scales)
    width, height = (max(1, round(n * scale)) for n in source)
    return width, height


def _view(plane: VideoPlane) -> np.ndarray:
    raw = cast("memoryview", plane)  # a buffer, though its type does not say so
    return np.frombuffer(raw, np.uint16).reshape(plane.height, -1)[:, : plane.width]


def _letterboxed(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    whole = np.zeros((size[1], size[0], 3), picture.dtype)
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    whole[top : top + height, left : left + width] = picture
    return whole


def _linear_table() -> np.ndarray:
    """float32 [65536]: sRGB-coded 16 bits -> linear light 0..1 (IEC 61966-2-1), as EXR readers expect."""
    coded = np.arange(65536) / 65535
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _linear_table()


def _graph(source: tuple[int, int], size: tuple[int, int], fit: Fit, preset: Preset) -> Graph:
    graph = Graph()
    graph.threads = 1
    width, height = fitted(source, size, fit)
    buffer = f"video_size={source[0]}x{source[1]}:pix_fmt=yuv444p16le:time_base=1/1:pixel_aspect=1/1"
    steps = [
        graph.add("buffer", f"{buffer}:colorspace=bt709:range=tv"),
        graph.add("scale", f"w={width}:h={height}:flags=lanczos+accurate_rnd+full_chroma_int"),
        graph.add("format", "yuv444p16le" if preset.sequence else preset.pixels),
    ]
    if fit == "contain" and not preset.sequence and (width, height) != size:
        steps.append(graph.add("pad", f"w={size[0]}:h={size[1]}:x=(ow-iw)/2:y=(oh-ih)/2:color=black"))
    elif fit != "contain" and (width, height) != size:
        steps.append(graph.add("crop", f"w={size[0]}:h={size[1]}"))
    steps.append(graph.add("buffersink"))
    graph.link_nodes(*steps)
    graph.configure()
    return graph
