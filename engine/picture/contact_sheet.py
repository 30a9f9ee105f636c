"""Contact sheets: many frames on one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame

from ..files.atomic import translated, write_bytes
from ..files.still import encode_still

_GAP = 4  # pixels between frames
_GROUND = 22  # the panel's window grey


def contact_sheet(frames: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Lay frames out row by row, with a narrow dark gap between and around them.

    Args:
        frames: [height, width, 3], all of one shape: uint8, or float 0..1.
        columns: frames in a row.

    Returns:
        uint8 [rows * (height + gap) + gap, columns * (width + gap) + gap, 3].

    Raises:
        ValueError: no frame, no column, or frames of different shapes.

    """
    if not frames or columns < 1 or len({frame.shape for frame in frames}) != 1:
        raise ValueError("a contact sheet needs frames of one shape and at least one column")
    height, width, _ = frames[0].shape
    rows = -(-len(frames) // columns)
    sheet = np.full((rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3), _GROUND, np.uint8)
    for index, frame in enumerate(frames):
        row, column = divmod(index, columns)
        top, left = _GAP + row * (height + _GAP), _GAP + column * (width + _GAP)
        sheet[top : top + height, left : left + width] = eight_bits(frame)
    return sheet


def eight_bits(frame: np.ndarray) -> np.ndarray:
    """uint8 from float 0..1 (rounded), or the same array when it is uint8 already."""
    return frame if frame.dtype == np.uint8 else np.rint(np.clip(frame, 0, 1) * 255).astype(np.uint8)


def write_png(out: Path, picture: np.ndarray) -> None:
    """Write uint8 [height, width, 3] as a PNG, atomically.

    Raises:
        OutputError: it cannot be written.

    """
    with translated(out):
        data = png(picture)
    write_bytes(out, data)


def png(picture: np.ndarray) -> bytes:
    """Content of a PNG of uint8 [height, width, 3]."""
    return encode_still(VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24"), "png", {})
