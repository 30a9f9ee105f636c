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


def matters(kind: str, one: np.ndarray, other: np.ndarray) -> tuple[float, bool]:
    """How far `kind` rises from one colour to the other, and whether a change between them counts at all."""
    if kind == "light":
        before, after = (float(colour @ (0.2126, 0.7152, 0.0722)) for colour in (one, other))
        return after - before, abs(after - before) >= 0.1 and min(before, after) < 0.8
    before, after = (max(0.0, float(r - g - b)) * 320 for r, g, b in (one, other))
    saturated = any(colour.sum() > 0 and colour[0] / colour.sum() >= 0.8 for colour in (one, other))
    return after - before, abs(after - before) > 20 and saturated


def changes(kind: str, colours: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """(frame, way) of the opposing changes of one field, seen from the extreme after the change before."""
    found: list[tuple[int, int]] = []
    lowest = highest = colours[0]
    for frame, colour in enumerate(colours):
        rise, counts_up = matters(kind, lowest, colour)
        fall, counts_down = matters(kind, highest, colour)
        way = found[-1][1] if found else 0
        if rise > 0 and counts_up and way != 1:
            found.append((frame, 1))
            lowest = highest = colour
        elif fall < 0 and counts_down and way != -1:
            found.append((frame, -1))
            lowest = highest = colour
        else:
            lowest = colour if rise < 0 else lowest
            highest = colour if fall > 0 else highest
    return found


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
    most = {}
    for kind in ("light", "red"):
        alike = {colours.tobytes(): colours for colours in seen}  # fields that do the same are followed once
        followed = {key: changes(kind, list(colours)) for key, colours in alike.items()}
        rates_of = {
            key: in_each_second([frame for frame, _ in found], Fraction(fps), len(pictures))
            for key, found in followed.items()
        }
        by_field = [followed[colours.tobytes()] for colours in seen]
        rates = np.array([rates_of[colours.tobytes()] for colours in seen])
        alone = np.sort(rates, axis=0)[-1 - int(AREA * len(rates))].max()
        tally: dict[tuple[int, int], int] = {}
        for frame, way in itertools.chain.from_iterable(by_field):
            tally[frame, way] = tally.get((frame, way), 0) + 1
        large = {change for change, count in tally.items() if count > AREA * len(seen)}
        together = in_each_second(alternating(large), Fraction(fps), len(pictures)).max()
        most[kind] = int(max(alone, together)) // 2
    return most
