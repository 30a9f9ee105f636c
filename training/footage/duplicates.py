"""Finds near-duplicates among pictures by a perceptual hash (DCT, 64 bits) and coarse colours."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from .picture import Picture

# Of 83 landscape photos no two were nearer than 18 bits, or 14 with quite other colours; frames of a slow zoom differ
# by about 10 a second. Light that differs by more counts as another picture.
_BITS = 12  # of 64 that may differ
_LEVELS = 16.0  # mean difference of the colours of quarters
_SIDE, _LOW = 32, 8
FLAT = 3.0
"""Pictures whose brightness deviates by less (levels) show nothing: black leader, fog, a covered lens."""


@dataclass(frozen=True)
class Look:
    """What a picture is compared by: hash, and the mean colours of its four quarters (12 levels)."""

    bits: int
    colours: tuple[int, ...]


@functools.cache
def _cosines() -> np.ndarray:
    """DCT-II [8,32]: the lowest frequencies of 32 samples."""
    k, n = np.arange(_LOW)[:, None], np.arange(_SIDE)[None]
    return np.cos(np.pi * k * (2 * n + 1) / (2 * _SIDE))


def _blocks(picture: Picture, side: int) -> np.ndarray:
    """Means of side x side parts, [side,side,3]; parts of pictures that are no multiple differ by a pixel."""
    rows = np.linspace(0, picture.shape[0], side + 1).astype(int)[:-1]
    columns = np.linspace(0, picture.shape[1], side + 1).astype(int)[:-1]
    total = np.add.reduceat(np.add.reduceat(picture.astype(np.float64), rows, 0), columns, 1)
    high = np.diff(np.append(rows, picture.shape[0])).astype(np.float64)
    wide = np.diff(np.append(columns, picture.shape[1])).astype(np.float64)
    return total / (high[:, None, None] * wide[None, :, None])


def look_of(picture: Picture) -> Look:
    """Hash and colours of a picture uint8 [H,W,3], H and W >= 32."""
    blocks = _blocks(picture, _SIDE)
    luma = blocks @ [0.299, 0.587, 0.114]
    low = (_cosines() @ luma @ _cosines().T).ravel()
    above = low > np.median(low[1:])
    quarters = blocks.reshape(2, _SIDE // 2, 2, _SIDE // 2, 3).mean((1, 3))
    return Look(int(np.packbits(above).view(">u8")[0]), tuple(int(v) for v in np.rint(quarters.ravel())))


def is_flat(picture: Picture) -> bool:
    """Whether a picture shows nothing."""
    return float(picture.mean(2).std()) < FLAT


class Seen:
    """Pictures seen so far."""

    def __init__(self) -> None:
        self._bits = np.zeros(256, np.uint64)
        self._colours = np.zeros((256, 12), np.int16)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def has_like(self, look: Look) -> bool:
        """Whether a near-duplicate was added before."""
        n = self._count
        near = np.bitwise_count(self._bits[:n] ^ np.uint64(look.bits)) <= _BITS
        colours = np.abs(self._colours[:n][near] - np.array(look.colours, np.int16)).mean(1)
        return bool((colours <= _LEVELS).any())

    def add(self, look: Look) -> None:
        """Remember a picture."""
        if self._count == len(self._bits):
            self._bits = np.concatenate([self._bits, np.zeros_like(self._bits)])
            self._colours = np.concatenate([self._colours, np.zeros_like(self._colours)])
        self._bits[self._count], self._colours[self._count] = np.uint64(look.bits), look.colours
        self._count += 1
