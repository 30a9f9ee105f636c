"""Interface of modulators: what drives a parameter besides hands, from 0 to 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ...audio.features import Features


@dataclass(frozen=True, slots=True)
class ModulatorInput:
    """What a modulator is given at each frame.

    Attributes:
        features: level, bands, onset and beat of the sound at the end of the frame.
        seconds: nominal time since the performance began, in s. Never the clock of the machine.
        dt: nominal duration of the frame in s, above 0.
        beats: beats since the last resync, at the detected tempo, or the last one while there is no beat.
        shape, steps: what `/moves/<number>/shape` and `/moves/<number>/steps` say.
        turns: advances this slot's clock to the end of the frame and returns its turns so far: at
            `/moves/<number>/rate` Hz, or by beats as `/moves/<number>/sync` says. Call it at most once a frame; the
            clock stands still in frames in which it is not called.

    """

    features: Features
    seconds: float
    dt: float
    beats: float
    shape: str
    steps: str
    turns: Callable[[], float]


@runtime_checkable
class Modulator(Protocol):
    """A source of modulation for one slot (`/moves/<number>/source`).

    The entry point (group `sonorama.modulators`) is a factory: `factory(number: int) -> Modulator`, usually the class
    itself; `number` is the slot, from 1. Its name becomes a choice of `/moves/<number>/source`. A new one is made when
    the source is chosen. Depth, target and fall of the slot are applied by sonorama.

    All calls come from the frame loop, so `step` must return within microseconds. It must be deterministic: the same
    inputs give the same heights, bit for bit, in every run. A live show, a renderer that is started again and a take
    that is rendered a year later rest on that. Use no clock, no global random numbers, no files. An exception, or a
    result that is no number, counts as 0; the show reports it and goes on.
    """

    def step(self, now: ModulatorInput) -> float:
        """The height at the end of this frame; clipped to 0..1."""
        ...

    def snapshot(self) -> Mapping[str, Any]:
        """All of the state as JSON values; empty without state."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as the one that gave `state`."""
        ...
