"""Modulation of parameters: each slot `/moves/<number>` takes a modulator's height, 0 to 1, times a depth to a target.

Everything counts in nominal time and in beats of the sound, so the same inputs give the same modulation, bit for bit.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import Any

from ..audio.features import Features
from ..control.addresses import AUTO_DRIFT, AUTO_ON, LOOK_DRIFT, ModulatorName, modulator
from ..control.live_table import MODULATORS as SLOTS
from ..control.parameters import Value
from ..errors import SonoramaError, one_line_error
from ..plugins.interfaces import Modulator, ModulatorInput
from ..plugins.registry import MODULATORS, find_used, load_point, make_from

log = logging.getLogger(__name__)
USUAL_BPM = 120.0
BEATS = {
    "4 bars": 16.0, "2 bars": 8.0, "1 bar": 4.0, "2 beats": 2.0, "1 beat": 1.0, "1/2 beat": 0.5, "1/4 beat": 0.25,
}  # fmt: skip
"""Beats of one turn."""
PHRASE_BARS = 16
REST_LEVEL, REST_S = 0.05, 1.5
"""Level below which the picture is at rest, and half-life in s with which that comes and goes."""


class BeatCount:
    """Beats since the last resync: at the detected tempo and phase while there is a beat, else at the last tempo."""

    def __init__(self) -> None:
        self.beats = 0.0
        self.bpm = USUAL_BPM
        self.restart = False

    def step(self, features: Features, dt: float, clock: float | None = None) -> None:
        """`dt` seconds further; from a restart on, the count begins with the beat that is nearest to now.

        An external clock counts by itself, from its own start: `clock` beats.
        """
        self.bpm = features.bpm or self.bpm
        if clock is not None:
            self.beats, self.restart = clock, False
            return
        due = 0.0 if self.restart else self.beats + dt * self.bpm / 60
        self.restart = False
        # The detected phase is right to a part of a beat, our own count tells which beat it is a part of.
        self.beats = due + (features.beat - due + 0.5) % 1.0 - 0.5 if features.bpm else due


class _Slot:
    """One slot. number: from 1. turns: of its clock so far. held: its height after the fall, 0 to 1. fault: why its
    modulator gives 0, if it should not.
    """

    def __init__(self, number: int, points: Mapping[str, EntryPoint]) -> None:
        self.number, self._points = number, points
        self.turns = self.held = 0.0
        self.source, self.fault = "off", ""
        self.modulator: Modulator | None = None

    def choose(self, source: str) -> None:
        """Load and make the modulator of that name; a broken one gives 0."""
        self.source, self.modulator, self.fault = source, None, ""
        if source == "off":
            return
        try:
            factory = load_point(MODULATORS, self._points[source])
            self.modulator = make_from(MODULATORS, source, factory, self.number)
        except KeyError:
            self.fault = f"The modulator {source} is not installed here."
        except SonoramaError as error:
            self.fault = f"{error.message}. {error.hint}"

    def step(
        self, values: Mapping[str, Value], features: Features, count: BeatCount, seconds: float, dt: float
    ) -> float:

        def own(name: ModulatorName) -> Value:
            return values[modulator(self.number, name)]

        if (source := str(own("source"))) != self.source:
            self.choose(source)
        if source == "off":
            self.held = 0.0
            return 0.0

        def turns() -> float:
            per_turn = BEATS.get(str(own("sync")))
            self.turns = count.beats / per_turn if per_turn else self.turns + float(own("rate")) * dt
            return self.turns

        shape, steps = str(own("shape")), str(own("steps"))
        now = self._height(ModulatorInput(features, seconds, dt, count.beats, shape, steps, turns))
        fall = float(own("fall"))
        self.held = max(now, self.held * 2.0 ** (-dt / fall)) if fall > 0 else now
        return self.held

    def _height(self, now: ModulatorInput) -> float:
        if self.modulator is None:
            return 0.0
        try:
            height = float(self.modulator.step(now))
        except Exception as error:  # (a plug-in may raise anything, and the frame must come)
            log.exception("The modulator %s failed", self.source)
            self.fault = f"The modulator {self.source} failed and counts as 0: {one_line_error(error)}"
            return 0.0
        if math.isnan(height):
            self.fault = f"The modulator {self.source} gave NaN, which counts as 0."
            return 0.0
        return min(max(height, 0.0), 1.0)

    def snapshot(self) -> list[Any]:
        """[source, state of its modulator]."""
        return [self.source, dict(self.modulator.snapshot()) if self.modulator else {}]

    def restore(self, source: str, state: Mapping[str, Any]) -> None:
        self.choose(source)
        if self.modulator is not None:
            self.modulator.restore(state)


class Modulators:
    """All slots and their state. Belongs to the frame loop.

    Attributes:
        features: those of the last step, with the bar and the phrase.
        shifts: what the last step gave; not part of the state, `ParameterState` keeps it.

    """

    def __init__(self, count: int = SLOTS) -> None:
        self._count = BeatCount()
        points = find_used(MODULATORS)
        self._slots = [_Slot(number, points) for number in range(1, count + 1)]
        self._seconds = 0.0
        self._drivers: dict[str, str] = {}
        self._drop = self._rest = 0.0
        self.features = Features(0, 0, 0, 0, 0, 0, 0, -100)
        self.shifts: dict[str, float] = {}

    def step(
        self, values: Mapping[str, Value], features: Features, dt: float, clock: float | None = None
    ) -> dict[str, float]:
        """Advance by `dt` seconds (nominal frame time); returns the shifts for `ParameterState.modulate`, by address.
        Slots with one target add up.

        Args:
            values: every `/moves/` value of the table, effective at this frame.
            features: of the sound at the end of this frame.
            dt: seconds, > 0.
            clock: beats of an external clock that is the source of the beat.

        """
        self._count_beats(features, dt, clock)
        self.features = features = self._with_bars(features)
        self._seconds += dt
        shifts: dict[str, float] = {}
        drivers: dict[str, str] = {}
        for slot in self._slots:
            height = slot.step(values, features, self._count, self._seconds, dt)
            source, target = values[modulator(slot.number, "source")], str(values[modulator(slot.number, "target")])
            if source == "off" or target == "none":
                continue
            words = f"{source} {slot.number}" if source in ("lfo", "steps") else str(source)
            drivers[target] = f"{drivers[target]} + {words}" if target in drivers else words
            shifts[target] = shifts.get(target, 0.0) + height * float(values[modulator(slot.number, "depth")])
        if drift := self._drift(values, features, dt):
            shifts[LOOK_DRIFT] = shifts.get(LOOK_DRIFT, 0.0) + drift
            drivers[LOOK_DRIFT] = f"{drivers[LOOK_DRIFT]} + auto" if LOOK_DRIFT in drivers else "auto"
        self._drivers, self.shifts = drivers, shifts
        return dict(shifts)

    def _drift(self, values: Mapping[str, Value], features: Features, dt: float) -> float:
        """What /auto/drift adds to the drift: all of it after some seconds of silence, nothing with sound."""
        rest = float(features.level < REST_LEVEL)
        self._rest = rest + (self._rest - rest) * 2.0 ** (-dt / REST_S)
        return self._rest * float(values[AUTO_DRIFT]) if values[AUTO_ON] and self._rest > 0.01 else 0.0

    def _count_beats(self, features: Features, dt: float, clock: float | None) -> None:
        """A drop begins a phrase, on the nearest beat."""
        self._count.restart |= features.drop > self._drop and features.bpm > 0
        self._drop = features.drop
        self._count.step(features, dt, clock)

    def _with_bars(self, features: Features) -> Features:
        if not features.bpm:
            return features
        bars = math.floor(self._count.beats / BEATS["1 bar"] + 1e-6)
        phrase = self._count.beats / (PHRASE_BARS * BEATS["1 bar"]) % 1.0
        return replace(features, bar=float(bars % 4 + 1), phrase=phrase)

    @property
    def beats(self) -> float:
        """Beats since the last resync or drop."""
        return self._count.beats

    @property
    def drivers(self) -> Mapping[str, str]:
        """Names of the modulators of each target in the last step, for people: `onset`, `lfo 3`, `bass + steps 4`."""
        return MappingProxyType(self._drivers)

    @property
    def faults(self) -> list[str]:
        """Which modulators do not work, one line each."""
        return [slot.fault for slot in self._slots if slot.fault]

    def resync(self) -> None:
        """The beat, the bar and the turn of every synced slot begin with the next step."""
        self._count.restart = True

    def snapshot(self) -> dict[str, Any]:
        """All of the state as JSON values."""
        return {
            "beats": self._count.beats,
            "bpm": self._count.bpm,
            "restart": self._count.restart,
            "seconds": self._seconds,
            "drop": self._drop,
            "rest": self._rest,
            "turns": [slot.turns for slot in self._slots],
            "held": [slot.held for slot in self._slots],
            "modulators": [slot.snapshot() for slot in self._slots],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as the one of the same count that gave `state`.

        Raises:
            KeyError, ValueError, TypeError: it does not fit.

        """
        self._count.beats, self._count.bpm = float(state["beats"]), float(state["bpm"])
        self._count.restart = bool(state["restart"])
        self._seconds = float(state.get("seconds", 0.0))
        self._drop, self._rest = float(state.get("drop", 0.0)), float(state.get("rest", 0.0))
        for slot, turns, held in zip(self._slots, state["turns"], state["held"], strict=True):
            slot.turns, slot.held = float(turns), float(held)
        for slot, (source, own) in zip(self._slots, state.get("modulators", ()), strict=False):
            slot.restore(source, own)
