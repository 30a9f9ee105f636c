"""Undo: what the values were before each of the last changes that somebody made."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .class_addresses import GROUP
from .parameters import Change, Value
from .pending_load import CLEARED, FOUND, RESULTS
from .presets import NEVER

STEPS = 50
"""Changes that can be undone."""
DRAG_S, TOGETHER_S = 0.5, 0.1
"""Seconds between two changes within which a parameter's further movement belongs to the change before (a drag), and
other parameters of the same sender do (a preset that is loaded)."""
OWN = ("undo", "redo", "auto", "follow-on", FOUND, "world", "renderer", "command line")
"""Sources that are not a person's: results, and what follows from another change."""
Scenes = Callable[[int], Mapping[str, Value]]


@dataclass
class Step:
    """One change as a person sees it.

    Attributes:
        source: who made it.
        at_s: when it was last moved on.
        before: what the values were, by address.
        scene: of a scene that was stored: its slot, and what that held, nothing if it was empty.

    """

    source: str
    at_s: float
    before: dict[str, Value] = field(default_factory=dict)
    scene: tuple[int, Mapping[str, Value]] | None = None


class History:
    """The last 50 changes, and those undone since the last one.

    Blackout, freeze, recording, MIDI learn, an external clock and timecode are left out: a key for undo must not end or
    begin these.

    Args:
        clock: monotonic time in seconds.

    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._done: deque[Step] = deque(maxlen=STEPS)
        self._undone: list[Step] = []

    def note(self, changes: Sequence[Change], values: Mapping[str, Value]) -> None:
        """Changes that belong together are made now.

        Args:
            changes: what will hold; addresses that `values` lacks are left out, such as events.
            values: that hold until then.

        """
        kept = [
            change
            for change in changes
            if change.path in values and change.path not in NEVER and change.source not in OWN
        ]
        before = {one.path: values[one.path] for one in kept if values[one.path] != one.value}
        if not kept:
            return
        found = {one for path in before if path in RESULTS for one in (RESULTS[path], *CLEARED.get(path, ()))}
        before |= {path: values[path] for path in found & values.keys()}  # so that it need not be sought again
        now, source = self._clock(), kept[0].source
        step = self._going_on(source, {one.path for one in kept}, now)
        if step is not None:
            step.at_s, step.before = now, before | step.before
        elif before:
            self._done.append(Step(source, now, before))
        if before:
            self._undone.clear()

    def note_scene(self, slot: int, before: Mapping[str, Value], source: str) -> None:
        """A scene is stored now; before: what its slot held, nothing if it was empty."""
        self._done.append(Step(source, self._clock(), scene=(slot, before)))
        self._undone.clear()

    def _going_on(self, source: str, paths: set[str], now: float) -> Step | None:
        """The step that a change goes on with, if there is one."""
        for step in reversed(self._done):
            if step.source == source:
                if step.scene is not None:
                    return None
                limit = DRAG_S if paths & step.before.keys() else TOGETHER_S
                return step if now - step.at_s < limit else None
        return None

    def undo(self, values: Mapping[str, Value], scenes: Scenes = lambda _: {}) -> Step | None:
        """The step whose values and scene are to hold again; None if there is nothing to undo.

        Args:
            values: that hold now.
            scenes: gives what a slot holds now.

        """
        return self._back(self._done, self._undone, values, scenes)

    def redo(self, values: Mapping[str, Value], scenes: Scenes = lambda _: {}) -> Step | None:
        """The same of what was undone last."""
        return self._back(self._undone, self._done, values, scenes)

    @staticmethod
    def _back(
        steps: deque[Step] | list[Step], others: deque[Step] | list[Step], values: Mapping[str, Value], scenes: Scenes
    ) -> Step | None:
        if not steps:
            return None
        step = steps.pop()
        now = None if step.scene is None else (step.scene[0], scenes(step.scene[0]))
        others.append(Step(step.source, 0.0, {path: values[path] for path in step.before}, now))
        return step

    def forget_mixer(self) -> None:
        """Another world is played: slots of the meaning mixer mean other classes."""
        for steps in (self._done, self._undone):
            for step in list(steps):
                step.before = {path: value for path, value in step.before.items() if not path.startswith(GROUP)}
                if not step.before and step.scene is None:
                    steps.remove(step)
