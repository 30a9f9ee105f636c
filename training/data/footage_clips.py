"""Reads the moving clips of a data set that `sonorama footage` made: frames, and the sound that is heard meanwhile."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from av.error import FFmpegError
from torch import Tensor

from ...engine.audio.audio_file import open_sound
from ...engine.errors import InputError
from ...engine.model.mel import BANDS, HOP, SOUND_COLUMNS, MelStream
from ...engine.units import SAMPLE_RATE, Array
from .labels import CLIPS, Labels
from .moving_clips import UNKNOWN, MovingClip
from .procedural_pictures import CLASSES
from .splits import HELD_OUT

BEFORE = 2 * SOUND_COLUMNS
"""Mel columns that are kept from before the first frame: a window of F_a, and the motion steps before the clip."""
_REDO = "Run sonorama footage again with the same folder."


def footage_clips(
    root: Path, silent: bool = False, size: tuple[int, int] | None = None, classes: Sequence[str] = CLASSES,
    labels: Labels | None = None,
) -> list[MovingClip]:  # fmt: skip
    """The clips of a data set, in the order of its table; none where it has no clips.

    A frame shown at sample s of the soundtrack hears the columns that end by then, s // HOP of them; before the sound
    begins that is 0. Where the sound ends before the clip does, silence follows.

    Args:
        root: the data set.
        silent: give clips without a soundtrack, too, with silence.
        size: (height, width) of the frames: their middle is cropped to its aspect and scaled; None: as they are.
        classes: of the world; a clip's class is its index among them, or UNKNOWN.
        labels: of which class the files are (default: as the table says).

    Raises:
        InputError: a clip or soundtrack of the table is missing, damaged, or not what the table says.

    """
    path = root / CLIPS
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["sound"] or silent]
    rows_of: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        rows_of.setdefault(row["sound"], []).append(i)
    clips: dict[int, MovingClip] = {}
    for sound, numbers in rows_of.items():
        mel = log_mel_of(root / sound) if sound else np.zeros((BANDS, 0), np.float32)
        for i in numbers:
            clip = _clip(root, rows[i], mel)
            name = (labels or Labels()).of(rows[i]["file"], rows[i]["class"])
            clip = replace(clip, class_id=classes.index(name) if name in classes else UNKNOWN)
            clips[i] = clip if size is None else replace(clip, frames=scaled_to(clip.frames, size))
    return [clips[i] for i in range(len(rows))]


def scaled_to(frames: Tensor, size: tuple[int, int]) -> Tensor:
    """The middle of frames uint8 [T,3,H,W], cropped to the aspect of `size` (height, width) and scaled to it."""
    high, wide = frames.shape[2:]
    part_high = max(1, min(high, round(wide * size[0] / size[1])))
    part_wide = max(1, min(wide, round(high * size[1] / size[0])))
    top, left = (high - part_high) // 2, (wide - part_wide) // 2
    part = frames[:, :, top : top + part_high, left : left + part_wide]
    return torch.nn.functional.interpolate(part, size, mode="bilinear", antialias=True)


def log_mel_of(path: Path) -> Array:
    """Log-mel [128,C] of a whole sound file, computed in blocks."""
    stream = MelStream()
    with open_sound(path, strict=True) as sound:
        return np.concatenate([stream.push(block) for block in sound.mono(SAMPLE_RATE)], 1)


def _clip(root: Path, row: dict[str, str], mel: Array) -> MovingClip:
    try:
        rate, count = int(row["rate"]), int(row["frames"])
        first = int(row["first_sample"] or 0)
    except (KeyError, ValueError) as error:
        raise InputError(f"{root / CLIPS} has a row that cannot be read: {row.get('file')}", _REDO) from error
    frames = read_frames(root / row["file"])
    if len(frames) != count:
        raise InputError(f"{root / row['file']} has {len(frames)} frames instead of {count}", _REDO)
    heard = [max(0, int(first + Fraction(i * SAMPLE_RATE, rate)) // HOP) for i in range(count)]
    window, begin = _window(mel, heard[0], heard[-1])
    columns = tuple(h - begin for h in heard)
    return MovingClip(frames, rate, window, columns, UNKNOWN, row["source"], row["split"] == HELD_OUT)


def _window(mel: Array, first: int, last: int) -> tuple[Tensor, int]:
    """Columns [128,C] from BEFORE columns ahead of `first` up to `last`, and the number of the first one of them."""
    begin = max(0, first - BEFORE)
    part = mel[:, begin:last]
    return torch.from_numpy(np.pad(part, ((0, 0), (0, last - begin - part.shape[1])))), begin


def read_frames(path: Path) -> Tensor:
    """Frames uint8 [T,3,H,W] of a clip, as they were written to the bit. Raises InputError."""
    try:
        frames = [*_frames(path)]
    except (FFmpegError, OSError) as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", _REDO) from error
    if not frames:
        raise InputError(f"{path} contains no frames", _REDO)
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).contiguous()


def _frames(path: Path) -> Iterator[np.ndarray]:
    with av.open(f"file:{path}", "r") as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")
