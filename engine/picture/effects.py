"""Effects on the painted picture, at the world's own size: kaleidoscope, colour, contrast, feedback trail and strobe.

They run before scaling and before the output controls, so the flash guard also limits what they do. Index maps and the
colour matrix are kept until their settings change. Without effects a picture passes untouched.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..control.addresses import (
    PICTURE_CONTRAST,
    PICTURE_HUE,
    PICTURE_KALEIDOSCOPE,
    PICTURE_SATURATION,
    PICTURE_STROBE,
    PICTURE_STROBE_RATE,
    PICTURE_TRAIL,
    PICTURE_TRAIL_ZOOM,
)
from ..control.parameters import Value
from ..units import SAMPLE_RATE, Array, Pixels

Indices = npt.NDArray[np.intp]
LONGEST_S = 1.0
"""A picture that comes later than this after the one before begins a new trail."""
_MIDDLE = 127.5
_GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples spread evenly
_OPAQUE = np.array([0, 0, 0, 255], np.uint8).view(np.uint32)
_LUMA = np.array([0.213, 0.715, 0.072])


class PictureEffects:
    """Applies the effects to the pictures of one performance, in order. Not thread-safe."""

    def __init__(self) -> None:
        self._trail: Array | None = None
        self._rooms: dict[str, Array] = {}
        self._indices: Indices = np.empty(0, np.intp)
        self._sample = self._zooms = 0
        self._seconds = 0.0  # since the picture before

    def apply(self, pixels: Pixels, values: Mapping[str, Value], sample: int) -> Pixels:
        """The picture with its effects.

        Args:
            pixels: uint8 [H,W,4] RGBA with alpha 255, contiguous; not modified.
            values: effective values of a show's table.
            sample: of the sound at this picture, by which trail and strobe are timed.

        Returns:
            uint8 [H,W,4] with alpha 255; `pixels` itself without effects.

        """
        if segments := int(values[PICTURE_KALEIDOSCOPE]):
            pixels = _mapped(pixels, _kaleidoscope(*pixels.shape[:2], segments))
        if not self._begin(values, sample):
            return pixels
        picture = self._room("picture", pixels.shape)
        np.copyto(picture, pixels)
        return _rgba8(self._shaded(picture, values, sample))

    def apply_deep(self, painted: Array, values: Mapping[str, Value], sample: int) -> Array:
        """The same in full depth, for films: float32 [H,W,3] in 0..1, not modified -> the same, a new array; `painted`
        itself without effects.
        """
        segments, more = int(values[PICTURE_KALEIDOSCOPE]), self._begin(values, sample)
        if not segments and not more:
            return painted
        height, width = painted.shape[:2]
        picture = self._room("picture", (height, width, 4))
        np.multiply(painted, np.float32(255), out=picture[..., :3])
        picture[..., 3] = 255
        if segments:
            words = picture.view(np.complex128).reshape(-1).take(_kaleidoscope(height, width, segments))
            picture = words.view(np.float32).reshape(picture.shape)
        if more:
            picture = self._shaded(picture, values, sample)
        return picture[..., :3] / np.float32(255)

    def _begin(self, values: Mapping[str, Value], sample: int) -> bool:
        """Whether a picture needs more than a kaleidoscope."""
        self._seconds, self._sample = (sample - self._sample) / SAMPLE_RATE, sample
        trail = float(values[PICTURE_TRAIL])
        if trail <= 0:
            self._trail = None
        return trail > 0 or _strobe(values, sample) < 1 or _matrix(*_colours(values)) is not None

    def _shaded(self, picture: Array, values: Mapping[str, Value], sample: int) -> Array:
        """Colour, trail and strobe on float32 [H,W,4] in 0..255, which is used up."""
        if (matrix := _matrix(*_colours(values))) is not None:
            picture = _coloured(picture, matrix, self._room("colour", picture.shape))
        if (trail := float(values[PICTURE_TRAIL])) > 0:
            self._add_trail(picture, trail, float(values[PICTURE_TRAIL_ZOOM]), self._seconds)
        if (gain := _strobe(values, sample)) < 1:
            picture *= np.float32(gain)
        return picture

    def _room(self, name: str, shape: tuple[int, ...]) -> Array:
        """An array that is used again with every picture: memory that is new each time costs more than the effects."""
        room = self._rooms.get(name)
        if room is None or room.shape != shape:
            room = self._rooms[name] = np.empty(shape, np.float32)
        return room

    def _add_trail(self, picture: Array, half_life: float, zoom: float, seconds: float) -> None:
        """Mix the trail into the picture, in place; its share falls by half every `half_life` seconds."""
        trail = self._trail
        if trail is None or trail.shape != picture.shape or not 0 <= seconds <= LONGEST_S:
            self._trail = picture.copy()
            return
        old = trail
        if zoom != 1.0:
            self._zooms += 1
            jitter = self._zooms * _GOLDEN % 1.0 - 0.5
            if len(self._indices) != picture.size // 4:
                self._indices = np.empty(picture.size // 4, np.intp)
            old = _zoomed(old, zoom**seconds, jitter, self._indices, self._room("zoomed", picture.shape))
        picture -= old
        picture *= np.float32(1 - 2.0 ** (-seconds / half_life))
        picture += old
        np.copyto(trail, picture)


def _colours(values: Mapping[str, Value]) -> tuple[float, float, float]:
    return float(values[PICTURE_HUE]), float(values[PICTURE_SATURATION]), float(values[PICTURE_CONTRAST])


def _strobe(values: Mapping[str, Value], sample: int) -> float:
    """Factor on the brightness: dark in the second half of each turn."""
    depth = float(values[PICTURE_STROBE])
    turns = sample / SAMPLE_RATE * float(values[PICTURE_STROBE_RATE])
    return 1.0 - depth if turns % 1.0 >= 0.5 else 1.0


def _mapped(pixels: Pixels, indices: Indices) -> Pixels:
    words = pixels.view(np.uint32).reshape(-1).take(indices)
    return words.view(np.uint8).reshape(pixels.shape)


@lru_cache(8)
def _kaleidoscope(height: int, width: int, segments: int) -> Indices:
    """Flat index of the source pixel of each pixel [H*W]: the sector of 1/segments of a turn that begins to the right
    of the centre, mirrored into all others. Beyond the picture's edge it is mirrored back.
    """
    y, x = np.indices((height, width), np.float64)
    centre_y, centre_x = (height - 1) / 2, (width - 1) / 2
    radius, angle = np.hypot(y - centre_y, x - centre_x), np.arctan2(y - centre_y, x - centre_x)
    sector = 2 * math.pi / segments
    angle = np.abs((angle + sector / 2) % sector - sector / 2)
    rows = _reflected(np.rint(centre_y + radius * np.sin(angle)).astype(np.intp), height)
    columns = _reflected(np.rint(centre_x + radius * np.cos(angle)).astype(np.intp), width)
    return (rows * width + columns).reshape(-1)


def _reflected(index: Indices, n: int) -> Indices:
    """Indices folded back into 0..n-1 at both ends."""
    if n == 1:
        return np.zeros_like(index)
    turn = index % (2 * n - 2)
    return np.minimum(turn, 2 * n - 2 - turn)


@lru_cache(64)
def _matrix(hue: float, saturation: float, contrast: float) -> Array | None:
    """Matrix [4,4] by which RGBA in 0..255, with alpha 255, is multiplied from the right; None: unchanged.

    Hue and saturation as in the W3C's Filter Effects (feColorMatrix, hueRotate and saturate), which keep luminance.
    """
    if (hue, saturation, contrast) == (0.0, 1.0, 1.0):
        return None
    cos, sin = math.cos(math.radians(hue)), math.sin(math.radians(hue))
    grey = np.tile(_LUMA, (3, 1))
    swing = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])
    turned = grey + cos * (np.eye(3) - grey) + sin * swing
    colour = contrast * (grey + saturation * (np.eye(3) - grey)) @ turned
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, :3] = colour.T
    matrix[3, :3] = _MIDDLE * (1 - contrast) / 255  # the offset, by the alpha: adding a row to all takes twice as long
    return matrix


def _coloured(picture: Array, matrix: Array, out: Array) -> Array:
    """float32 [H,W,4] -> `out`, the same, 0..255."""
    np.matmul(picture.reshape(-1, 4), matrix, out=out.reshape(-1, 4))
    return np.clip(out, 0.0, 255.0, out=out)


def _zoomed(picture: Array, zoom: float, jitter: float, indices: Indices, out: Array) -> Array:
    """float32 [H,W,4] -> `out`: enlarged (above 1) or reduced about its centre by the nearest pixel; mirrored at the
    edges.

    jitter: -0.5..0.5 pixels, another one for each picture, without which small steps would round to none.
    indices: room for [H*W].
    """
    rows, columns = (_zoom_indices(n, zoom, jitter) for n in picture.shape[:2])
    words, found = (array.view(np.complex128).reshape(-1) for array in (picture, out))  # 16 bytes a pixel
    height, width = picture.shape[:2]
    np.add(rows[:, None] * width, columns, out=indices.reshape(height, width))
    np.take(words, indices, out=found, mode="clip")
    return out


def _zoom_indices(n: int, zoom: float, jitter: float) -> Indices:
    middle = (n - 1) / 2
    return _reflected(np.rint(middle + (np.arange(n) - middle) / zoom + jitter).astype(np.intp), n)


def _rgba8(picture: Array) -> Pixels:
    """float32 [H,W,4] in 0..255, which is used up -> uint8, rounded, alpha 255."""
    picture += np.float32(0.5)
    out = picture.astype(np.uint8)
    words = out.view(np.uint32)
    words |= _OPAQUE
    return out
