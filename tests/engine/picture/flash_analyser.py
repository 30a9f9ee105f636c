"""Counts flashes as WCAG 2.3.1 and ITU-R BT.1702 define them: written apart from the guard, slow and plain.

A field is a 24th of the picture's width and height, its light the mean of all its pixels.
"""

import itertools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

FIELDS = 24
AREA = 0.25


def linear(level: float) -> float:
    """sRGB level 0..255 -> relative 0..1, as WCAG writes it."""
    part = level / 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


LINEAR = np.array([linear(level) for level in range(256)])


def fields(picture: np.ndarray) -> np.ndarray:
    """Mean linear R, G, B of every field: [FIELDS*FIELDS, 3]."""
    height, width = picture.shape[:2]
    light = LINEAR[picture[..., :3]]
    rows, columns = ([size * field // FIELDS for field in range(FIELDS + 1)] for size in (height, width))
    sums = np.add.reduceat(np.add.reduceat(light, rows[:-1], 0), columns[:-1], 1)
    return (sums / np.outer(np.diff(rows), np.diff(columns))[..., None]).reshape(-1, 3)


def measured(kind: str, colours: np.ndarray) -> list[tuple[float, bool]]:
    """Of each of one field's colours [n,3]: what `kind` measures, and whether changes from and to it count at all."""
    if kind == "light":
        light = colours @ (0.2126, 0.7152, 0.0722)
        return list(zip(light.tolist(), (light < 0.8).tolist(), strict=True))
    red = np.maximum(0.0, colours[:, 0] - colours[:, 1] - colours[:, 2]) * 320
    total = colours.sum(1)
    saturated = (total > 0) & (colours[:, 0] >= 0.8 * total)
    return list(zip(red.tolist(), saturated.tolist(), strict=True))


def changes(kind: str, colours: np.ndarray) -> list[tuple[int, int]]:
    """(frame, way) of the opposing changes of one field, seen from the extreme after the change before."""
    found: list[tuple[int, int]] = []
    values = measured(kind, colours)
    lowest = highest = values[0]
    for frame, now in enumerate(values):
        rise, fall = now[0] - lowest[0], now[0] - highest[0]
        way = found[-1][1] if found else 0
        if rise > 0 and is_change(kind, rise) and (now[1] or lowest[1]) and way != 1:
            found.append((frame, 1))
            lowest = highest = now
        elif fall < 0 and is_change(kind, -fall) and (now[1] or highest[1]) and way != -1:
            found.append((frame, -1))
            lowest = highest = now
        else:
            lowest = now if rise < 0 else lowest
            highest = now if fall > 0 else highest
    return found


def is_change(kind: str, size: float) -> bool:
    """Whether it is large enough: a tenth of white, or more than 20 of 320 parts of red."""
    return size >= 0.1 if kind == "light" else size > 20


def in_each_second(frames: Sequence[int], fps: Fraction, total: int) -> np.ndarray:
    """How many changes lie in the second that begins with each frame, its ends included."""
    starts, at = np.arange(total)[:, None], np.array(frames)
    return ((starts <= at) & (at <= starts + float(fps))).sum(1)


def alternating(large: set[tuple[int, int]]) -> list[int]:
    """The frames of changes that oppose the one before; of two at one frame the opposing one is the first."""
    frames, last = [], 0
    for frame in sorted({frame for frame, _ in large}):
        for way in (-last or 1, last or -1):
            if (frame, way) in large and way != last:
                frames.append(frame)
                last = way
    return frames


def flashes(pictures: Sequence[np.ndarray], fps: Fraction | int) -> dict[str, int]:
    """Most flashes in any second over more than a quarter of the picture: general (light) and of saturated red (red).

    Two ways to count, of which the larger is told: changes that a quarter of the picture makes at one and the same
    frame, and the flashes in each field by itself, as many as a quarter of the fields have in the same second.
    """
    once = {id(picture): fields(picture) for picture in {id(picture): picture for picture in pictures}.values()}
    seen = np.array([once[id(picture)] for picture in pictures]).transpose(1, 0, 2)
    keys = [colours.tobytes() for colours in seen]
    alike = dict(zip(keys, seen, strict=True))  # fields that do the same are followed once
    most = {}
    for kind in ("light", "red"):
        followed = {key: changes(kind, colours) for key, colours in alike.items()}
        rates_of = {
            key: in_each_second([frame for frame, _ in found], Fraction(fps), len(pictures))
            for key, found in followed.items()
        }
        rates = np.array([rates_of[key] for key in keys])
        alone = np.sort(rates, axis=0)[-1 - int(AREA * len(rates))].max()
        tally: dict[tuple[int, int], int] = {}
        for frame, way in itertools.chain.from_iterable(followed[key] for key in keys):
            tally[frame, way] = tally.get((frame, way), 0) + 1
        large = {change for change, count in tally.items() if count > AREA * len(seen)}
        together = in_each_second(alternating(large), Fraction(fps), len(pictures)).max()
        most[kind] = int(max(alone, together)) // 2
    return most
