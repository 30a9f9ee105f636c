"""Changes that a renderer has to load before they act, which may take seconds: a world, a device, a code, a text
prompt, a photo, a recorded sound.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..units import LEVELS
from .addresses import (
    ENGINE_DEVICE,
    ENGINE_WORLD,
    LOOK_CODE,
    LOOK_PHOTO,
    LOOK_PROMPT,
    LOOK_TEXT,
    blend,
    look_level_code,
)
from .parameters import Change, Value
from .render_table import BLEND_POINTS

WORLD, DEVICE, TEXT, PROMPT = ENGINE_WORLD, ENGINE_DEVICE, LOOK_TEXT, LOOK_PROMPT
_POINTS = range(1, BLEND_POINTS + 1)
PHOTO, CODE = LOOK_PHOTO, LOOK_CODE
LOADS = (WORLD, DEVICE)
"""What plays: a world on a device."""
CODES = (CODE, *(look_level_code(level) for level in LEVELS), *(blend(point, "code") for point in _POINTS))
"""Addresses of names of codes, which are read from files first."""
PROMPTS = {TEXT: PROMPT} | {blend(point, "text"): blend(point, "seed") for point in _POINTS}
"""Addresses of text prompts -> of the seeds that are found for them."""
SOUNDS = {blend(point, "sound"): blend(point, "seed") for point in _POINTS}
"""Addresses of names of sound files -> of the seeds that are found for them. A name that is cleared leaves its seed."""
RESULTS = {**PROMPTS, PHOTO: CODE, **SOUNDS}
"""What is sought for -> the address of what is found. Both hold at once; the second one acts."""
CLEARED = {blend(point, "sound"): (blend(point, "text"), blend(point, "code")) for point in _POINTS} | {
    blend(point, "text"): (blend(point, "sound"),) for point in _POINTS
}
"""What is sought for -> the addresses of what its point held before, which are cleared when it is found."""
NO_PROMPT = -1
"""Value of a prompt's seed while none is known for the text."""
NONE_FOUND = (NO_PROMPT, "")
FOUND = "text"
"""Source of the changes that a renderer makes by itself."""


@dataclass(frozen=True, slots=True)
class PendingLoad:
    """A change that acts once it is loaded. The renderer then applies its result, or reports LoadRefused.

    Attributes:
        asked: the change of one of LOADS, CODES or RESULTS that somebody asked for.

    """

    asked: Change

    @property
    def path(self) -> str:
        """Address of what was asked for."""
        return self.asked.path

    def result(self, found: Value = NO_PROMPT) -> Change:
        """The change that takes effect: a world, device or code itself; of a text, the seed whose picture fits it best;
        of a photo, its code; of a sound, as of a text.
        """
        return Change(RESULTS[self.path], found, FOUND) if self.path in RESULTS else self.asked

    def results(self, found: Value) -> list[Change]:
        """The result, and the changes that clear what its point of the blend surface held before."""
        return [self.result(found), *(Change(path, "", FOUND) for path in CLEARED.get(self.path, ()))]

    def completed_by(self, change: Change) -> bool:
        """Whether a change that was applied shows that this is loaded, or no longer needed.

        Nothing is sought any more once somebody sets a seed or code; NO_PROMPT and no code complete a search only as
        the renderer's own result.
        """
        if self.path in SOUNDS and change.path == self.path and not change.value:
            return True
        if self.path not in RESULTS:
            return change.path == self.path
        return change.path == RESULTS[self.path] and (change.source == FOUND or change.value not in NONE_FOUND)


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
        """Remember what has to be loaded for a batch of changes; returns that. Of several that lead to one address,
        such as a text and a sound for the seed of one point, the last one counts.
        """
        added = needed_loads(changes)
        for load in added:
            target = RESULTS.get(load.path)
            others = {path: one for path, one in self._loads.items() if not target or RESULTS.get(path) != target}
            self._loads = others | {load.path: load}
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
    """What has to be loaded for a batch of changes: no text or sound that comes with its seed, as in a scene, no photo
    that comes with its code, and no name of a sound that is cleared.
    """
    changes = list(changes)
    given = {change.path for change in changes if change.value not in NONE_FOUND}
    loads = [one for one in changes if one.path in (*LOADS, *CODES, *RESULTS) and (one.value or one.path not in SOUNDS)]
    return [PendingLoad(one) for one in loads if RESULTS.get(one.path) not in given]


def without_loads(changes: Iterable[Change]) -> list[Change]:
    """Those of a batch of changes that act at once. Texts, photos and sounds are among them: they are shown, what is
    found for them follows.
    """
    return [change for change in changes if change.path not in (*LOADS, *CODES)]
