"""One frame's way to the encoder: colour in exact arithmetic, then scaling and bit depth by swscale.

A frame becomes three planes of 16 bits at its own small size. For films these are Y'CbCr (BT.709, limited
range), for others R'G'B'; swscale sees "yuv444p16le" both times and therefore changes no colour at all.
(Its own RGB to YUV step is off by 3 of 1,023 levels, measured; this way stays within one.)
"""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane

from ..engine.files.encode import BT709, LIMITED
from ..engine.picture.scale import nearly_fills
from .presets import Preset

Fit = Literal["cover", "contain", "mirror"]
FITS: tuple[Fit, ...] = ("cover", "contain", "mirror")

FULL, GBR, SRGB, LINEAR = 2, 0, 13, 8  # as BT709 and LIMITED
_PACKED = {"rgb48le": ("<u2", 3), "rgb48be": (">u2", 3), "rgba": ("u1", 4)}
_MARGIN = 4  # source pixels beyond the edge; Lanczos reads 3
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
        fit: cover crops what sticks out, contain adds black bars (slivers of them are not drawn, see `nearly_fills`),
            mirror fills the bars with mirrored copies.
        inset: pixels of the source to leave out at each edge.

    """

    def __init__(
        self, preset: Preset, source: tuple[int, int], size: tuple[int, int], fit: Fit, inset: int = 0
    ) -> None:
        self._preset = preset
        self._source = source
        self._size = size
        self._inset = inset
        inner = (source[0] - 2 * inset, source[1] - 2 * inset)
        if fit == "contain" and nearly_fills(inner, size):
            fit = "cover"
        self._pad = mirror_margins(inner, size) if fit == "mirror" else (0, 0)
        width, height = inner[0] + 2 * self._pad[0], inner[1] + 2 * self._pad[1]
        self._graph = _graph((width, height), size, fit, preset)
        self._unit = np.empty((3, inner[1], inner[0]), np.float32)
        self._mixed = np.empty_like(self._unit)
        self._count = 0

    def __call__(self, frame: np.ndarray) -> VideoFrame:
        """Convert uint8 or float32 (0..1) [height, width, 3], row 0 on top.

        Raises:
            ValueError: another shape or type; uint8 for a deep preset.

        """
        width, height = self._source
        if frame.shape != (height, width, 3):
            raise ValueError(f"a frame is {frame.shape}, not {(height, width, 3)}")
        if frame.dtype != np.float32 and (self._preset.deep or frame.dtype != np.uint8):
            raise ValueError(f"preset {self._preset.name} does not take {frame.dtype} frames")
        inset = self._inset
        picture = self._scaled(self._planes(frame[inset : height - inset, inset : width - inset]))
        return self._of_rgb(picture) if self._preset.rgb else picture

    def _planes(self, frame: np.ndarray) -> np.ndarray:
        """float32 [3, height, width] in 16-bit units plus 0.5: Y'CbCr, or R'G'B' where the preset takes that."""
        unit, picture = self._unit, self._mixed  # kept from frame to frame: fresh pages cost more than the sums
        white = np.float32(255 if frame.dtype == np.uint8 else 1)
        np.clip(np.moveaxis(frame, 2, 0), 0, white, out=unit, dtype=np.float32)
        if self._preset.rgb:
            full = 65535 if self._preset.deep else 255 * 256
            np.multiply(unit, np.float32(full) / white, out=picture)
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
            np.copyto(_view(plane, np.uint16), values, casting="unsafe")  # drops the fraction
        frame.pts = self._count
        frame.colorspace, frame.color_range = BT709, LIMITED
        self._count += 1
        self._graph.vpush(frame)
        out = self._graph.vpull()
        out.colorspace, out.color_range, out.color_trc, out.color_primaries = BT709, LIMITED, BT709, BT709
        return out

    def _of_rgb(self, planes: VideoFrame) -> VideoFrame:
        """R'G'B' planes in disguise -> a picture as the encoder wants it, with black bars."""
        frame = VideoFrame(*self._size, self._preset.pixels)
        linear = self._preset.pixels == "gbrpf32le"
        if (planes.width, planes.height) != self._size:
            for plane in frame.planes:
                np.frombuffer(_raw(plane), np.uint8)[:] = 0
        for index, source in enumerate(planes.planes):
            values = _view(source, np.uint16 if self._preset.deep else np.uint8)
            _middle(self._channel(frame, index), values.shape)[:] = _LINEAR[values] if linear else values
        if self._preset.pixels == "rgba":
            self._channel(frame, 3)[:] = 255
        frame.colorspace, frame.color_range = GBR, FULL
        frame.color_trc, frame.color_primaries = self._curve(), BT709
        return frame

    def _channel(self, frame: VideoFrame, index: int) -> np.ndarray:
        """Red, green, blue or alpha of a frame: [height, width], writable."""
        if self._preset.pixels == "gbrpf32le":
            return _view(frame.planes[(2, 0, 1)[index]], np.float32)
        dtype, channels = _PACKED[self._preset.pixels]
        return _view(frame.planes[0], np.dtype(dtype), channels)[:, index::channels]

    def _curve(self) -> int:
        if self._preset.pixels == "gbrpf32le":
            return LINEAR
        return SRGB if self._preset.sequence else BT709


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


def scaled(part: tuple[int, int], source: tuple[int, int], whole: tuple[int, int]) -> tuple[int, int]:
    """Size (width, height) of a part of the source where the whole source becomes `whole`."""
    width, height = (round(n * out / of) for n, of, out in zip(part, source, whole, strict=True))
    return width, height


def cropped(source: tuple[int, int], size: tuple[int, int], step: tuple[int, int]) -> tuple[int, int]:
    """Size (width, height) of the middle of the source from which cover is scaled: what it shows, and a margin.

    The margin holds what Lanczos reads beyond the edges; it is chosen such that the scale stays the same and the middle
    in the middle: a whole number of pixels goes out on either side, and a whole number of chroma samples too.
    """
    whole = fitted(source, size, "cover")
    width, height = (_cropped(*side) for side in zip(source, whole, size, step, strict=True))
    return width, height


def _cropped(source: int, whole: int, out: int, step: int) -> int:
    least = -(-out * source // whole) + 2 * _MARGIN
    for n in range(least, source):
        exact = n * whole % source == 0
        if exact and (source - n) % 2 == 0 and (n * whole // source - out) % (2 * step) == 0:
            return n
    return source


def _view(plane: VideoPlane, dtype: type | np.dtype, channels: int = 1) -> np.ndarray:
    """The samples of a plane, [height, width * channels], writable."""
    lines = np.frombuffer(_raw(plane), dtype).reshape(plane.height, -1)
    return lines[:, : plane.width * channels]


def _raw(plane: VideoPlane) -> memoryview:
    return cast("memoryview", plane)  # a buffer, though its type does not say so


def _middle(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The part of a picture of this (height, width) in its middle."""
    top, left = ((whole - part) // 2 for whole, part in zip(picture.shape, shape, strict=True))
    return picture[top : top + shape[0], left : left + shape[1]]


_LINEAR = ((np.arange(65536) / 65535) ** 2.4).astype(np.float32)
"""16 bits of R'G'B' -> linear light 0..1 as a display of ITU-R BT.1886 with black at 0 shows them."""


def _graph(source: tuple[int, int], size: tuple[int, int], fit: Fit, preset: Preset) -> Graph:
    graph = Graph()
    graph.threads = 1
    part = cropped(source, size, preset.step) if fit == "cover" else source
    width, height = scaled(part, source, fitted(source, size, fit))
    buffer = f"video_size={source[0]}x{source[1]}:pix_fmt=yuv444p16le:time_base=1/1:pixel_aspect=1/1"
    steps = [graph.add("buffer", f"{buffer}:colorspace=bt709:range=tv")]
    if part != source:
        steps.append(graph.add("crop", f"w={part[0]}:h={part[1]}"))
    steps += [
        graph.add("scale", f"w={width}:h={height}:flags=lanczos+accurate_rnd+full_chroma_int"),
        graph.add("format", ("yuv444p16le" if preset.deep else "yuv444p") if preset.rgb else preset.pixels),
    ]
    if fit == "contain" and not preset.rgb and (width, height) != size:
        steps.append(graph.add("pad", f"w={size[0]}:h={size[1]}:x=(ow-iw)/2:y=(oh-ih)/2:color=black"))
    elif fit != "contain" and (width, height) != size:
        # A cropped picture begins inside its buffer, unaligned: the DNxHR encoder crashes on it. It is copied.
        steps += [graph.add("crop", f"w={size[0]}:h={size[1]}"), graph.add("copy")]
    if not preset.rgb and (width, height) != source:
        steps += _within_range(graph, preset)
    steps.append(graph.add("buffersink"))
    graph.link_nodes(*steps)
    graph.configure()
    return graph


def _within_range(graph: Graph, preset: Preset) -> list[FilterContext]:
    """Limits of the range for what Lanczos overshoots at hard edges: luma to 16..235, chroma to 16..240 of 8 bits."""
    unit = 1 if preset.pixels.endswith("p") else 1 << int(preset.pixels.removesuffix("le").split("p")[-1]) - 8
    limits = (("1", 235), ("6", 240))
    return [graph.add("limiter", f"min={16 * unit}:max={top * unit}:planes={planes}") for planes, top in limits]
