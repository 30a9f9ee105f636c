"""Eight scenes: stored values of picture and motion, recalled over a morph time. Kept in a file of the show's name.

Their names and colours are there, too, below a key of their own, which versions without them leave as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import SonoramaError, ValueRefused
from ..files.folders import is_there
from ..ipc.messages import SCENES
from . import presets
from .addresses import (
    BLEND_AMOUNT,
    BLEND_FOCUS,
    BLEND_X,
    BLEND_Y,
    SOUND_FOLLOW,
    SOUND_GAIN,
    SOUND_ONSET,
    SceneName,
    scene,
)
from .class_addresses import GROUP, by_class, by_slot
from .live_table import SHOW
from .parameters import Change, Parameter, Value

SLOTS = SCENES
KEPT = (
    "/look/", "/axis/", "/motion/", "/moves/", "/meaning/", "/picture/", SOUND_GAIN, SOUND_FOLLOW, SOUND_ONSET,
    BLEND_AMOUNT, BLEND_X, BLEND_Y, BLEND_FOCUS,
)  # fmt: skip
"""Groups that a scene stores; not events, output, engine, scenes, the points of the blend surface (scenes may be points
of it), or the source of sound and beat.
"""
_LABELS = "labels"
_NAMES: tuple[SceneName, ...] = ("name", "colour")


def thumbnail_file(name: str, slot: int) -> Path:
    """The file of a scene's thumbnail, of a show of that name; need not exist.

    Raises:
        SonoramaError: the name cannot be part of a file name.

    """
    return presets.folder() / f"{presets.preset_name(name)}.scenes" / f"{slot}.jpg"


class SceneBank:
    """The scenes of one show.

    Attributes:
        fault: one line on what could not be read at the start; empty if all is well.
        labels: names and colours by address, such as `/scene/1/name`; those that are not set are not there.

    """

    def __init__(self, path: Path, table: Mapping[str, Parameter] = SHOW) -> None:
        """Read the file, if there is one. A damaged file is a `fault`, never an exception.

        Args:
            path: `presets.file_of(name, "scenes")`; need not exist.
            table: all parameters.

        """
        self._path = path
        self._all = table
        self._table = {path: param for path, param in table.items() if path.startswith(KEPT) and not param.event}
        self.labels: dict[str, Value] = {}
        self._said: dict[str, Any] = {}  # as read: entries that this version does not know stay in the file
        self._scenes: dict[int, dict[str, Value]] = {}
        self.fault = ""
        if is_there(path):
            self._read()

    def _read(self) -> None:
        try:
            self._said = presets.read(self._path, "file of scenes")
        except SonoramaError as error:
            self.fault = f"{error.message}. {error.hint}"
            return
        wrong = self._read_labels()
        for key, said in self._said.items():
            if key == _LABELS:
                continue
            slot = int(key) if key in map(str, range(1, SLOTS + 1)) else 0
            if not slot or not isinstance(said, dict):
                wrong.append(key)
                continue
            values, left_out = presets.sift(said, self._table)
            self._scenes[slot] = presets.completed(values, self._table)
            wrong += [f"{slot} {address}" for address in left_out]
        if wrong:
            more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            self.fault = f"{self._path.name}: {wrong[0][:80]!r} is left out{more}"

    def _read_labels(self) -> list[str]:
        """Take the labels that are valid, and return the names of the others."""
        said = self._said.get(_LABELS, {})
        if not isinstance(said, dict):
            return [_LABELS]
        wrong: list[str] = []
        for slot in range(1, SLOTS + 1):
            of_slot = said.get(str(slot), {})
            if not isinstance(of_slot, dict):
                wrong.append(f"{_LABELS} {slot}")
                continue
            known = {scene(slot, name): of_slot[name] for name in _NAMES if name in of_slot}
            labels, left_out = presets.sift(known, self._all)
            self.labels.update(labels)
            wrong += left_out
        return wrong

    def label(self, values: Mapping[str, Value]) -> None:
        """Take names and colours over, without writing the file.

        values: by address; those that are neither are left out.
        """
        said = self._said.get(_LABELS)
        labels: dict[str, Any] = dict(said) if isinstance(said, dict) else {}
        for slot in range(1, SLOTS + 1):
            paths = {name: scene(slot, name) for name in _NAMES}
            given: dict[str, Value] = {name: values[path] for name, path in paths.items() if path in values}
            if any(self.labels.get(paths[name], self._all[paths[name]].default) != given[name] for name in given):
                before = labels.get(str(slot))
                labels[str(slot)] = {**(before if isinstance(before, dict) else {}), **given}
                self.labels.update((paths[name], value) for name, value in given.items())
        self._said = {**self._said, _LABELS: labels} if labels else self._said

    @property
    def stored(self) -> tuple[bool, ...]:
        """Which of the eight slots hold a scene."""
        return tuple(bool(self._scenes.get(slot)) for slot in range(1, SLOTS + 1))

    def store(self, slot: int, values: Mapping[str, Value], classes: Sequence[str] = ()) -> None:
        """`keep`, then `write`; raises what they raise."""
        self.keep(slot, values, classes)
        self.write()

    def keep(self, slot: int, values: Mapping[str, Value], classes: Sequence[str] = ()) -> None:
        """Store values in a slot, without writing the file.

        Args:
            slot: 1 to 8.
            values: by address: targets, without modulation. Those of other groups than KEPT are left out.
            classes: of the world that is played; the meaning mixer is kept by class.

        Raises:
            ValueRefused: no such slot; nothing is stored.

        """
        kept, _ = presets.sift({path: values[path] for path in self._table if path in values}, self._table)
        self._scenes[_checked(slot)] = kept = by_class(kept, classes)
        self._said = {**self._said, str(slot): kept}

    def put_back(self, slot: int, held: Mapping[str, Value]) -> None:
        """Let a slot hold what `values` gave before, without writing the file; nothing empties it."""
        said = {key: value for key, value in self._said.items() if key != str(slot)}
        self._said = {**said, str(slot): dict(held)} if held else said
        self._scenes[_checked(slot)] = dict(held)

    def write(self) -> None:
        """Write the file, which waits for the disk; any thread. Raises OutputError: it cannot be written."""
        presets.save(self._path, self._said)

    def values(self, slot: int) -> Mapping[str, Value]:
        """What a slot holds, by address; nothing where it is empty.

        Raises:
            ValueRefused: no such slot.

        """
        return self._scenes.get(_checked(slot), {})

    def recall(self, slot: int, morph_s: float, classes: Sequence[str] = ()) -> list[Change]:
        """The changes that lead to a scene, floats over `morph_s` seconds; none from an empty slot.

        Classes of the world that is played which the scene does not know go back to their defaults.

        Raises:
            ValueRefused: no such slot.

        """
        said = self._scenes.get(_checked(slot), {})
        scene, _ = by_slot(said, classes)
        if any(path.startswith(GROUP) for path in said):
            mixer = {path: param.default for path, param in self._table.items() if path.startswith(GROUP)}
            scene = mixer | scene
        over = {path: morph_s if self._table[path].kind == "float" else 0.0 for path in scene}
        return [Change(path, value, "scene", over[path]) for path, value in scene.items()]


def _checked(slot: int) -> int:
    if not 1 <= slot <= SLOTS:
        raise ValueRefused(f"There is no scene {slot}", f"Scenes are 1 to {SLOTS}.")
    return slot
