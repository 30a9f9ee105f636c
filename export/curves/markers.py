"""Markers for editing programs: where a class begins to be heard, beats and onsets, one a frame."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ...engine.pipeline.sound_curves import SoundCurves

MarkerKind = Literal["changes", "beats", "onsets"]
MARKER_KINDS: tuple[MarkerKind, ...] = ("changes", "beats", "onsets")


@dataclass(frozen=True)
class Marker:
    """A marker at a frame.

    Attributes:
        frame: of the film, from 0.
        name: what begins there: a class, `beat`, `onset`, or several with `, ` between, since programs keep one marker
            a frame.
        kind: the first of them.

    """

    frame: int
    name: str
    kind: MarkerKind


def markers(curves: SoundCurves, kinds: Collection[MarkerKind] = MARKER_KINDS) -> list[Marker]:
    """The markers of some kinds, in order of their frames."""
    found: dict[int, list[tuple[MarkerKind, str]]] = {}
    every: dict[MarkerKind, dict[int, str]] = {
        "changes": dict(curves.changes),
        "beats": dict.fromkeys(curves.beats, "beat"),
        "onsets": dict.fromkeys(curves.onsets, "onset"),
    }
    for kind in MARKER_KINDS:
        for frame, name in every[kind].items() if kind in kinds else ():
            found.setdefault(frame, []).append((kind, name))
    return [Marker(frame, ", ".join(name for _, name in found[frame]), found[frame][0][0]) for frame in sorted(found)]
