"""Lines for the user about a sound file: where it has no sound, and which tracks it has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .timeline import Hole
from .tracks import Track, listed

_NAMED = 4


def silences(holes: Sequence[Hole]) -> str:
    """Where holes are, such as "silence from 5.00 to 8.00 s"; of many the first four and the sum of the others."""
    named = ", ".join(f"{hole.begin:.2f} to {hole.end:.2f} s" for hole in holes[:_NAMED])
    rest = holes[_NAMED:]
    more = f" and {len(rest)} more, {sum(hole.end - hole.begin for hole in rest):.2f} s in all" if rest else ""
    return f"silence from {named}{more}"


def tracks_line(path: Path, tracks: Sequence[Track], taken: int) -> str:
    """That a file has several tracks, which one is taken, and how to take another one."""
    return f"{path} has {len(tracks)} sound tracks: {listed(tracks)}. Track {taken} is used; --track takes another one."
