"""Hap, the codec of media servers: DXT1 (BC1) texture blocks, which a graphics card shows without decoding.

FFmpeg's own encoder needs a library that PyAV's wheel leaves out. Frames here have no second compression ("None" in
the Hap specification, section "Decoding Frames"), which every player reads; 4 bits a pixel.
"""

from __future__ import annotations

import struct

import numpy as np

CODEC = "hap"
_RGB_DXT1 = 0xAB  # upper half: no second compression; lower half: DXT1
_LONG = 1 << 24  # from here on the size takes four bytes more
_INDEX = np.array([1, 3, 2, 0], np.uint32)
"""Thirds of the way from colour 1 to colour 0 -> the block's index of that colour."""
_POWER_STEPS = 4


def hap_frame(picture: np.ndarray) -> bytes:
    """One Hap frame of uint8 R'G'B' [height, width, 3]; both sides multiples of 4."""
    texture = bc1(picture)
    if len(texture) < _LONG:
        return struct.pack("<I", len(texture) | _RGB_DXT1 << 24) + texture
    return struct.pack("<II", _RGB_DXT1 << 24, len(texture)) + texture


def bc1(picture: np.ndarray) -> bytes:
    """Compress uint8 [height, width, 3] to BC1: 8 bytes for each block of 4 x 4 pixels, row by row.

    The two colours of a block are the ends of its pixels' extent along their principal axis.

    Raises:
        ValueError: a side is no multiple of 4.

    """
    height, width, _ = picture.shape
    if height % 4 or width % 4:
        raise ValueError(f"{width}x{height} does not divide into blocks of 4 x 4")
    blocks = picture.reshape(height // 4, 4, width // 4, 4, 3).swapaxes(1, 2).reshape(-1, 16, 3).astype(np.float32)
    colours = _endpoints(blocks)
    packed = _to_565(colours)
    packed.sort(axis=1)  # colour 0 must be the larger number: else the block has three colours and black
    packed = packed[:, ::-1]
    ends = _from_565(packed)
    axis = ends[:, 0] - ends[:, 1]
    length = np.maximum(np.einsum("nc,nc->n", axis, axis), 1)
    offsets = np.einsum("npc,nc->np", blocks - ends[:, 1:], axis) / length[:, None]
    thirds = np.rint(offsets * 3).clip(0, 3).astype(np.intp)
    thirds[packed[:, 0] == packed[:, 1]] = 3  # one colour: index 0
    indices = (_INDEX[thirds] << (2 * np.arange(16, dtype=np.uint32))).sum(1, dtype=np.uint32)
    out = np.empty(len(blocks), [("colours", "<u2", 2), ("indices", "<u4")])
    out["colours"], out["indices"] = packed, indices
    return out.tobytes()


def _endpoints(blocks: np.ndarray) -> np.ndarray:
    """float32 [n, 16, 3] -> [n, 2, 3]."""
    middle = blocks.mean(1, keepdims=True)
    spread = blocks - middle
    covariance = spread.swapaxes(1, 2) @ spread
    axis = covariance.sum(2) + np.float32(1e-3)
    for _ in range(_POWER_STEPS):
        axis /= np.abs(axis).max(1, keepdims=True) + np.float32(1e-6)
        axis = np.einsum("nij,nj->ni", covariance, axis) + np.float32(1e-6)
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    along = np.einsum("npc,nc->np", spread, axis)
    ends = np.stack([along.min(1), along.max(1)], axis=1)
    return middle + ends[:, :, None] * axis[:, None]


def _to_565(colours: np.ndarray) -> np.ndarray:
    red, green, blue = np.moveaxis(np.rint(colours * (np.array([31, 63, 31], np.float32) / 255)), -1, 0)
    clipped = (red.clip(0, 31), green.clip(0, 63), blue.clip(0, 31))
    red, green, blue = (channel.astype(np.uint16) for channel in clipped)
    return red << 11 | green << 5 | blue


def _from_565(packed: np.ndarray) -> np.ndarray:
    red, green, blue = packed >> 11, packed >> 5 & 63, packed & 31
    wide = np.stack([red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2], axis=-1)
    return wide.astype(np.float32)
