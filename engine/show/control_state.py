"""The control state: the target of every parameter of a show. Expands scenes and panic into changes.

It does not depend on a renderer. `accept` may be called from any thread, all else belongs to the control loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from ..control import addresses, blend_points, presets
from ..control.accept import valid_change
from ..control.addresses import LOOK_SEED, LOOK_SEED_B, OUT_FIT, OUT_HEIGHT, OUT_RECORD, OUT_WIDTH, look_level_seed
from ..control.class_addresses import mixer, moved, to_slot
from ..control.cues import Cue
from ..control.history import OWN, History
from ..control.live_table import SHOW
from ..control.parameters import Change, Value
from ..control.pending_load import CODES, RESULTS, WORLD
from ..control.presets import LABELS
from ..control.scenes import SceneBank
from ..errors import SonoramaError
from ..osc.bridge import installed_names
from ..pipeline.builtin_modulators import is_steps
from ..units import LEVELS
from .auto import NextPicture
from .cue_player import FOLLOW_ON, CuePlayer
from .plan import ShowPlan
from .thumbnails import Thumbnails

PANIC = (
    "/motion/", "/moves/", "/look/", "/axis/", "/meaning/", "/out/", "/auto/", "/picture/", addresses.BLEND_AMOUNT,
)  # fmt: skip
"""Groups that panic sets back to their defaults, except _KEPT."""
CUE = "cue"
"""Source of the changes of a cue."""
_KEPT = (
    LOOK_SEED, LOOK_SEED_B, *RESULTS, *RESULTS.values(), *CODES, *map(look_level_seed, LEVELS),
    OUT_RECORD, OUT_WIDTH, OUT_HEIGHT, OUT_FIT,
)  # fmt: skip


class ControlState:
    """The target of every parameter.

    Args:
        start: values to begin with; the others begin at their defaults.
        classes: of the world it begins with.
        scenes: of this show.
        fault: called with (kind, line) when something cannot be done.
        write: called with (kind, job) for what has to be written to disk.
        stored: called with the slot of a scene that is stored, and whether it is what is seen now.
        cues: plays the cue list; None: there is none.

    Attributes:
        moved: effective values of modulated parameters, as the renderer reported last.
        classes: of the world that is played.
        history: of the last changes, for undo.
        scene: that was recalled last, 1 to 8; 0: none yet.
        cues: plays the cue list.

    """

    def __init__(
        self,
        start: Mapping[str, Value],
        scenes: SceneBank,
        fault: Callable[[str, str], None],
        write: Callable[[str, Callable[[], None]], None],
        classes: Sequence[str] = (),
        stored: Callable[[int, bool], None] = lambda _, __: None,
        cues: CuePlayer | None = None,
    ) -> None:
        self.classes, self._kept = (*classes,), dict[str, Value]()
        self._fault, self._write, self._stored = fault, write, stored
        self.scenes = scenes
        self.history, self._next = History(time.monotonic), NextPicture()
        self.moved: Mapping[str, float] = {}
        self.scene, self.cues = 0, cues or CuePlayer()
        self.values: dict[str, Value] = {path: param.default for path, param in SHOW.items()}
        self.values.update((path, SHOW[path].clip(value)) for path, value in start.items() if not SHOW[path].event)
        self._label(start, scenes.labels)
        self._first_world = str(self.values[WORLD])
        if scenes.fault:
            fault("scenes", scenes.fault)

    def _label(self, start: Mapping[str, Value], kept: Mapping[str, Value]) -> None:
        """Begin with the names and colours that the scenes have, and keep those that were asked for."""
        self.values.update((path, value) for path, value in kept.items() if path not in start)
        if any(path in LABELS for path in start):
            self._keep_labels()

    def _keep_labels(self) -> None:
        self.scenes.label({path: self.values[path] for path in LABELS})
        self._write("scenes", self.scenes.write)

    def accept(self, path: str, value: object, source: str) -> Change:
        """A valid change of a value that a panel or an OSC message sent; see `control/accept.py`.

        The meaning mixer's addresses may name a class instead of a slot.

        Raises:
            ValueRefused: there is none.

        """
        return valid_change(SHOW, to_slot(path, self.classes), value, source, self._worlds)

    def play_classes(self, classes: Sequence[str]) -> list[Change]:
        """Another world is played: the changes by which the settings of each class follow it to its slot there. Those
        of classes that it does not have come back with a world that has them.
        """
        self._kept |= mixer(self.values, self.classes)
        self.history.forget_mixer()
        self.classes = (*classes,)
        return [Change(path, value, "world") for path, value in moved(self.values, self._kept, classes, SHOW).items()]

    def _worlds(self) -> set[str]:
        """Values that messages may give /engine/world: installed worlds, and the one the show was started with."""
        return installed_names() | {self._first_world}

    def take(self, change: Change) -> list[Change]:
        """All changes that follow from a valid change, events among them; they hold from now on."""
        if not change.value and SHOW[change.path].event:
            return []
        try:
            changes = list(self._expanded(change))
        except SonoramaError as error:
            self._fault(change.path, f"{error.message}. {error.hint}")
            return []
        if change.source not in OWN:  # a scene that comes by itself is no step of undo
            self.history.note(changes, self.values)
        for one in changes:
            if not SHOW[one.path].event:
                self.values[one.path] = one.value
        if any(one.path in LABELS for one in changes):
            self._keep_labels()
        return changes

    def _expanded(self, change: Change) -> Iterator[Change]:
        match change.path:
            case addresses.SCENE_RECALL:
                yield from self._recalled(int(change.value), self._morph_s)
            case addresses.SCENE_STORE:
                slot = int(change.value)
                self.history.note_scene(slot, self.scenes.values(slot), change.source)
                self.scenes.keep(slot, self.values, self.classes)
                self._stored(slot, True)
                self._write("scenes", self.scenes.write)
            case addresses.CUE_GO if change.source == FOLLOW_ON:
                yield from self._of_cue(self.cues.follow_on())
            case addresses.CUE_GO:
                yield from self._of_cue(self.cues.go())
            case addresses.CUE_BACK:
                yield from self._of_cue(self.cues.back())
            case addresses.CUE_GOTO:
                yield from self._of_cue(self.cues.goto(int(change.value)))
            case addresses.CUE_STOP:
                self.cues.stop()
            case addresses.AUTO_NEXT:
                stored = [slot for slot, full in enumerate(self.scenes.stored, 1) if full]
                following = self._next.choose(self.values, stored, change.source)
                own = self._expanded(following)
                yield from (msgspec.structs.replace(one, source=change.source) for one in own)
            case addresses.OUT_PANIC:
                self.cues.stop()
                yield from (Change(path, SHOW[path].default, "panic") for path in self.values if _panics(path))
            case addresses.EDIT_UNDO | addresses.EDIT_REDO:
                yield from self._back(change.path == addresses.EDIT_UNDO)
            case addresses.SOUND_TAP:
                yield Change(addresses.SOUND_TEMPO, "tapped", change.source)
                yield change
            case path if path.startswith("/blend/") and SHOW[path].event:
                yield from self._put(path, change)
            case path if path.endswith("/steps") and not is_steps(str(change.value)):
                self._fault(path, f"{path} has no steps in {str(change.value)[:40]!r}: send numbers 0 to 1 with spaces")
                yield change
            case _:
                yield change

    def _put(self, path: str, change: Change) -> list[Change]:
        """What an event of a point of the blend surface makes of it; what is heard only the renderer knows."""
        _, _, point, event = path.split("/")
        if event == "hear":
            return [change]
        if event == "take":
            return blend_points.put(int(point), self.values, change.source)
        if values := self.scenes.values(int(change.value)):
            return blend_points.put(int(point), values, change.source)
        self._fault("scene", f"Scene {change.value} is empty: store one with /scene/store, or Shift and its key")
        return []

    def _back(self, undo: bool) -> list[Change]:
        step = (self.history.undo if undo else self.history.redo)(self.values, self.scenes.values)
        if step is None:
            self._fault("undo", f"There is nothing to {'undo' if undo else 'redo'}")
            return []
        if step.scene is not None:
            self.scenes.put_back(*step.scene)
            self._stored(step.scene[0], False)
            self._write("scenes", self.scenes.write)
        return [Change(path, value, "undo" if undo else "redo") for path, value in step.before.items()]

    @property
    def _morph_s(self) -> float:
        return float(self.moved.get(addresses.SCENE_MORPH, self.values[addresses.SCENE_MORPH]))

    def _recalled(self, slot: int, morph_s: float) -> list[Change]:
        changes = self.scenes.recall(slot, morph_s, self.classes)
        if changes:
            self.scene = slot
        else:
            self._fault("scene", f"Scene {slot} is empty: store one with /scene/store, or Shift and its key")
        return changes

    def _of_cue(self, cue: Cue | None) -> list[Change]:
        """What a cue does, as changes; what it sets comes after its scene. A scene that is empty changes nothing."""
        if cue is None:
            return []
        morph_s = self._morph_s if cue.morph is None else cue.morph
        found = self._recalled(cue.scene, morph_s) if cue.scene else []
        if cue.morph is not None:
            found.append(Change(addresses.SCENE_MORPH, morph_s, CUE))
        for path, value in cue.values.items():
            try:
                found.append(self.accept(path, value, CUE))
            except SonoramaError as error:
                self._fault("cues", f"Cue {cue.label}: {error.message}. {error.hint}")
        over = {one.path: morph_s if _morphs(one.path) else 0.0 for one in found}
        last = {one.path: one.value for one in found}
        return [Change(path, value, CUE, over[path]) for path, value in last.items()]


def _morphs(path: str) -> bool:
    return SHOW[path].kind == "float" and path != addresses.SCENE_MORPH


def _panics(path: str) -> bool:
    return path.startswith(PANIC) and path not in _KEPT


def open_state(
    plan: ShowPlan, fault: Callable[[str, str], None], write: Callable[[str, Callable[[], None]], None],
    classes: Sequence[str], cues: CuePlayer | None = None,
) -> ControlState:  # fmt: skip
    """The control state that a plan asks for, with the scenes of the show's name; see ControlState."""
    scenes = SceneBank(presets.file_of(plan.name, "scenes"))
    stored = Thumbnails(plan.name, write).keep
    return ControlState({**plan.values, WORLD: plan.world}, scenes, fault, write, classes, stored, cues)
