"""Changes that a renderer has to load before they act, which takes seconds: a world, a device, a text prompt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .addresses import ENGINE_DEVICE, ENGINE_WORLD, LOOK_PROMPT, LOOK_TEXT
from .parameters import Change

WORLD, DEVICE, TEXT, PROMPT = ENGINE_WORLD, ENGINE_DEVICE, LOOK_TEXT, LOOK_PROMPT
LOADS = (WORLD, DEVICE)
"""What plays: a world on a device."""
NO_PROMPT = -1
"""Value of /look/prompt while no seed is known for the text."""
FOUND = "text"
"""Source of the changes that a renderer makes by itself."""


@dataclass(frozen=True, slots=True)
class PendingLoad:
    """A change that acts once it is loaded. The renderer then applies its result, or reports LoadRefused.

    Attributes:
        asked: the change of WORLD, DEVICE or TEXT that somebody asked for.

    """

    asked: Change

    @property
    def path(self) -> str:
        """Address of what was asked for."""
        return self.asked.path

    def result(self, seed: int = NO_PROMPT) -> Change:
        """The change that takes effect: a world or device itself; of a text, the seed whose picture fits it best."""
        return Change(PROMPT, seed, FOUND) if self.path == TEXT else self.asked

    def completed_by(self, change: Change) -> bool:
        """Whether a change that was applied shows that this is loaded, or no longer needed.

        A text needs no search once somebody sets a seed; NO_PROMPT completes it only as the renderer's own result.
        """
        if self.path != TEXT:
            return change.path == self.path
        return change.path == PROMPT and (change.source == FOUND or change.value != NO_PROMPT)


class PendingLoads:
    """The newest pending load of each address."""

    def __init__(self) -> None:
        self._loads: dict[str, PendingLoad] = {}

    @property
    def paths(self) -> list[str]:
        """Addresses whose new value is still being loaded."""
        return list(self._loads)

    def __contains__(self, load: PendingLoad) -> bool:
        """Whether it is still wanted: neither completed nor replaced by a newer one. Any thread."""
        return self._loads.get(load.path) is load

    def add(self, changes: Iterable[Change]) -> list[PendingLoad]:
        """Remember what has to be loaded for a batch of changes; returns that."""
        added = needed_loads(changes)
        self._loads = self._loads | {load.path: load for load in added}
        return added

    def complete(self, applied: Iterable[Change]) -> None:
        """Forget what changes that were applied complete."""
        for change in applied:
            self._loads = {path: load for path, load in self._loads.items() if not load.completed_by(change)}

    def refuse(self, path: str) -> None:
        """Forget the load at an address: it failed."""
        self._loads.pop(path, None)

    def take(self) -> list[Change]:
        """All changes that were asked for and are not loaded; forgets them."""
        loads, self._loads = self._loads, {}
        return [load.asked for load in loads.values()]


def needed_loads(changes: Iterable[Change]) -> list[PendingLoad]:
    """What has to be loaded for a batch of changes. A text that comes with its seed, as in a scene, does not."""
    changes = list(changes)
    with_seed = any(change.path == PROMPT and change.value != NO_PROMPT for change in changes)
    return [PendingLoad(one) for one in changes if one.path in LOADS or (one.path == TEXT and not with_seed)]


def without_loads(changes: Iterable[Change]) -> list[Change]:
    """Those of a batch of changes that act at once. A text is among them: it is shown, its seed follows."""
    return [change for change in changes if change.path not in LOADS]
