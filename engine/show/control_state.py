"""The show's board: what was asked for last at every address, and what an event of the show itself stands for.

Pure state, one thread. The renderer follows it; while none lives the board goes on taking values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ..control.live_table import SHOW
from ..control.parameters import Change, ParameterState, Value
from ..control.scenes import SceneBank
from ..errors import SonoramaError
from ..pipeline.builtin_modulators import is_steps

PANIC = ("/motion/", "/moves/", "/look/", "/out/")
"""What panic sets back; not where the picture is (seed and text), nor a recording."""
_KEPT = ("/look/seed", "/look/seed_b", "/look/text", "/look/prompt", "/out/record", "/out/width", "/out/height")


class ControlState:
    """Values of every control, as targets.

    Args:
        start: values to begin with; the others stand at their defaults.
        scenes: of this show.
        fault: takes (kind, line) when something cannot be done.
        errand: takes (kind, job) for what waits for the disk.

    Attributes:
        moved: effective values of controls that moves act on, as the renderer said last.

    """

    def __init__(
        self,
        start: Mapping[str, Value],
        scenes: SceneBank,
        fault: Callable[[str, str], None],
        errand: Callable[[str, Callable[[], None]], None],
    ) -> None:
        self._fault, self._errand = fault, errand
        self.scenes = scenes
        self.moved: Mapping[str, float] = {}
        self.values: dict[str, Value] = dict(ParameterState(SHOW, start).targets)
        if scenes.fault:
            fault("scenes", scenes.fault)

    def take(self, change: Change) -> list[Change]:
        """What a change, already clipped, comes to: all changes that now hold, the events among them."""
        try:
            changes = list(self._meant(change))
        except SonoramaError as error:
            self._fault(change.path, f"{error.message}. {error.hint}")
            return []
        for one in changes:
            if not SHOW[one.path].event:
                self.values[one.path] = one.value
        return changes

    def _meant(self, change: Change) -> Iterator[Change]:
        match change.path:
            case "/scene/recall":
                yield from self._recalled(int(change.value))
            case "/scene/store":
                self.scenes.keep(int(change.value), self.values)
                self._errand("scenes", self.scenes.write)
            case "/out/panic":
                yield from (Change(path, SHOW[path].default, "panic") for path in self.values if _panics(path))
            case "/sound/tap":
                yield Change("/sound/tempo", "tapped", change.source)
                yield change
            case path if path.endswith("/steps") and not is_steps(str(change.value)):
                self._fault(path, f"{path} has no steps in {str(change.value)[:40]!r}: send numbers 0 to 1 with spaces")
                yield change
            case _:
                yield change

    def _recalled(self, slot: int) -> list[Change]:
        changes = self.scenes.recall(slot, float(self.moved.get("/scene/morph", self.values["/scene/morph"])))
        if not changes:
            self._fault("scene", f"Scene {slot} is empty: store one with /scene/store, or Shift and its key")
        return changes


def _panics(path: str) -> bool:
    return path.startswith(PANIC) and path not in _KEPT
