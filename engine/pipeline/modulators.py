"""Moves: what drives a control besides hands. A wave, steps, a sound feature or the beat, each 0 to 1, times a depth.

Everything counts in nominal time and in heard beats, so the same inputs give the same movement, bit for bit.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from ..audio.features import Features
from ..control.live_table import MODULATORS
from ..control.parameters import Value

USUAL_BPM = 120.0
BEATS = {
    "4 bars": 16.0, "2 bars": 8.0, "1 bar": 4.0, "2 beats": 2.0, "1 beat": 1.0, "1/2 beat": 0.5, "1/4 beat": 0.25,
}  # fmt: skip
"""Beats of one turn."""
MOST_STEPS = 64


class BeatCount:
    """Beats since the last resync: at the heard tempo and phase while there is a beat, else on at the last tempo."""

    def __init__(self) -> None:
        self.beats = 0.0
        self.bpm = USUAL_BPM
        self.restart = False

    def step(self, features: Features, dt: float) -> None:
        """`dt` seconds further; from a restart on, the count begins with the beat that is nearest to now."""
        self.bpm = features.bpm or self.bpm
        due = 0.0 if self.restart else self.beats + dt * self.bpm / 60
        self.restart = False
        # The heard phase is right to a part of a beat, our own count tells which beat it is a part of.
        self.beats = due + (features.beat - due + 0.5) % 1.0 - 0.5 if features.bpm else due


@dataclass(slots=True)
class _Modulator:
    """One move. number: from 1. turns: of its wave or steps so far. held: where it stands, 0 to 1."""

    number: int
    turns: float = 0.0
    held: float = 0.0

    def step(self, values: Mapping[str, Value], features: Features, beats: float, dt: float) -> float:
        at, source = f"/moves/{self.number}", str(values[f"/moves/{self.number}/source"])
        match source:
            case "off":
                self.held = 0.0
                return 0.0
            case "lfo" | "steps":
                per_turn = BEATS.get(str(values[f"{at}/sync"]))
                self.turns = beats / per_turn if per_turn else self.turns + float(values[f"{at}/rate"]) * dt
                form = str(values[f"{at}/shape" if source == "lfo" else f"{at}/steps"])
                now = wave(form, self.number, self.turns) if source == "lfo" else step_height(form, self.turns)
            case "beat":
                now = (1.0 - features.beat) ** 2 if features.bpm else 0.0
            case _:
                now = float(getattr(features, source))
        fall = float(values[f"{at}/fall"])
        self.held = max(now, self.held * 2.0 ** (-dt / fall)) if fall > 0 else now
        return self.held


class Modulators:
    """The state of all moves. Belongs to the frame loop.

    Attributes:
        shifts: what the last step gave; not part of the state, `Params` keeps it.

    """

    def __init__(self, count: int = MODULATORS) -> None:
        self._count = BeatCount()
        self._moves = [_Modulator(number) for number in range(1, count + 1)]
        self._drivers: dict[str, str] = {}
        self.shifts: dict[str, float] = {}

    def step(self, values: Mapping[str, Value], features: Features, dt: float) -> dict[str, float]:
        """Go on by `dt` seconds (nominal frame time); the shifts for `Params.modulate`, moves on one target added up.

        Args:
            values: every `/moves/` value of the show table, as it is effective now.
            features: what is heard at the end of this frame.
            dt: seconds, > 0.

        """
        self._count.step(features, dt)
        shifts: dict[str, float] = {}
        drivers: dict[str, str] = {}
        for move in self._moves:
            height = move.step(values, features, self._count.beats, dt)
            source, target = values[f"/moves/{move.number}/source"], str(values[f"/moves/{move.number}/target"])
            if source == "off" or target == "none":
                continue
            words = f"{source} {move.number}" if source in ("lfo", "steps") else str(source)
            drivers[target] = f"{drivers[target]} + {words}" if target in drivers else words
            shifts[target] = shifts.get(target, 0.0) + height * float(values[f"/moves/{move.number}/depth"])
        self._drivers, self.shifts = drivers, shifts
        return dict(shifts)

    @property
    def drivers(self) -> Mapping[str, str]:
        """What moves each target in the last step, for people: `onset`, `lfo 3`, `bass + steps 4`."""
        return MappingProxyType(self._drivers)

    def resync(self) -> None:
        """The beat, the bar and the turn of every synced move begin with the next step."""
        self._count.restart = True

    def snapshot(self) -> dict[str, Any]:
        """All of the state as JSON values."""
        return {
            "beats": self._count.beats,
            "bpm": self._count.bpm,
            "restart": self._count.restart,
            "turns": [move.turns for move in self._moves],
            "held": [move.held for move in self._moves],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as the one of the same count that gave `state`."""
        self._count.beats, self._count.bpm = float(state["beats"]), float(state["bpm"])
        self._count.restart = bool(state["restart"])
        for move, turns, held in zip(self._moves, state["turns"], state["held"], strict=True):
            move.turns, move.held = float(turns), float(held)


def wave(shape: str, move: int, turns: float) -> float:
    """Height 0 to 1 of an LFO after so many turns; highest where a turn begins. `random` holds a height a turn."""
    whole = math.floor(turns)
    part = turns - whole
    match shape:
        case "triangle":
            return abs(1.0 - 2.0 * part)
        case "saw":
            return 1.0 - part
        case "square":
            return 1.0 if part < 0.5 else 0.0
        case "random":
            return _dice(move, whole)
        case _:
            return 0.5 + 0.5 * math.cos(2.0 * math.pi * part)


@lru_cache(256)
def _dice(move: int, turn: int) -> float:
    """A number 0 to 1 that belongs to that turn of that move, in every run."""
    digest = hashlib.blake2b(f"{move}:{turn}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") / 0xFFFFFFFF


def step_height(text: str, turns: float) -> float:
    """Height of the step that is on after so many turns, of which each goes through all steps; 0 if there are none."""
    heights = _heights(text)
    return heights[int((turns - math.floor(turns)) * len(heights)) % len(heights)] if heights else 0.0


def is_steps(text: str) -> bool:
    """Whether there is a step in it; nothing at all is no steps, on purpose."""
    return bool(_heights(text)) or not text.strip()


@lru_cache(256)
def _heights(text: str) -> tuple[float, ...]:
    """`1 0 0.5 0` -> numbers, clipped to 0..1; none at all if one word is no number or there are too many."""
    try:
        heights = [float(word) for word in text.split(maxsplit=MOST_STEPS)]
    except ValueError:
        return ()
    if len(heights) > MOST_STEPS or any(map(math.isnan, heights)):
        return ()
    return tuple(min(max(height, 0.0), 1.0) for height in heights)
