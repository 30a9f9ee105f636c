"""The effects of /picture/ in a film: in full depth, timed by the film's sound, modulated as in a show.

A trail is made of the pictures before, so with one every frame that is stepped through is painted, also those before a
part and those that are there already. Then a part has the frames of the whole, to the bit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping

from ..engine.control.addresses import (
    PICTURE_STROBE,
    PICTURE_STROBE_RATE,
    PICTURE_TRAIL,
    modulator,
)
from ..engine.control.live_table import FILM, MODULATORS
from ..engine.control.parameters import Value, show
from ..engine.errors import ValueRefused
from ..engine.picture.effects import PictureEffects
from ..engine.pipeline.frame_pipeline import FrameResult
from ..engine.units import Array
from .frame_source import EFFECTS

MOST_FLASHES = 3.0
"""A second. Films have no flash guard, so their strobe is limited to what it lets through."""
_PATHS = tuple(path for path in FILM if path.startswith(EFFECTS))


def modulated(values: Mapping[str, object]) -> set[str]:
    """The effects that modulators of a film move."""
    slots = range(1, MODULATORS + 1)
    on = [n for n in slots if values.get(modulator(n, "source"), FILM[modulator(n, "source")].default) != "off"]
    targets = {str(values.get(modulator(n, "target"), FILM[modulator(n, "target")].default)) for n in on}
    return targets & {*_PATHS}


def used(values: Mapping[str, object]) -> set[str]:
    """The effects whose values are not their defaults at all times."""
    return modulated(values) | {path for path in _PATHS if values.get(path, FILM[path].default) != FILM[path].default}


def check_effects(values: Mapping[str, object]) -> None:
    """Refuse a strobe that flashes too often.

    Raises:
        ValueRefused: it would.

    """
    rate = values.get(PICTURE_STROBE_RATE, FILM[PICTURE_STROBE_RATE].default)
    if PICTURE_STROBE in used(values) and isinstance(rate, int | float) and rate > MOST_FLASHES:
        message = f"{PICTURE_STROBE_RATE}={show(rate)} flashes too often for a film, which has no flash guard"
        raise ValueRefused(message, f"Use up to {MOST_FLASHES:g} flashes a second.")


class FilmEffects:
    """Applies the effects to the pictures of one film, in order.

    Args:
        values: of the film.

    Attributes:
        trail: whether there may be a trail.

    """

    def __init__(self, values: Mapping[str, object]) -> None:
        self.trail = PICTURE_TRAIL in used(values)
        self._effects = PictureEffects()
        self._waiting: deque[tuple[bool, Mapping[str, Value], int]] = deque()

    def wanted(self, steps: Iterable[FrameResult], have: Container[int]) -> Iterator[Array | None]:
        """Style codes [L,W] of the frames that have to be painted, None for the others."""
        for index, step in enumerate(steps):
            values = {path: step.values[path] for path in _PATHS}
            values[PICTURE_STROBE_RATE] = min(float(values[PICTURE_STROBE_RATE]), MOST_FLASHES)
            self._waiting.append((index in have, values, step.sample))
            yield None if index in have and not self.trail else step.w

    def applied(self, pictures: Iterable[Array | None]) -> Iterator[Array | None]:
        """The pictures of those codes with effects, float32 [H,W,3] in 0..1; None for each that nobody needs."""
        for picture in pictures:
            unneeded, values, sample = self._waiting.popleft()
            out = None if picture is None else self._effects.apply_deep(picture, values, sample)
            yield None if unneeded else out
