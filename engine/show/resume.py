"""What a show keeps on disk while it plays, so that `sonorama live --resume` continues it after it was killed.

A file with the values, the world, the source, the sinks and bridges, rewritten when something changed and removed at a
regular end. Scenes have a file of their own. The motion is in the renderer's state, which it saves once a second.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ..control.addresses import ENGINE_WORLD
from ..control.class_addresses import by_class, by_slot
from ..control.events import ShowEvents
from ..control.live_table import SHOW
from ..control.parameters import Change, Value
from ..control.presets import LABELS, NEVER, sift
from ..errors import OutputError, SonoramaError
from ..files.folders import is_there, shows_folder
from ..ipc.messages import Status
from ..ipc.shared_paths import check_name, process_lives, process_started, read_private, shared_path, write_private
from ..model.world_file import classes_of
from ..pipeline.snapshot import read_state
from .control_state import ControlState
from .plan import Motion, ShowPlan

PERIOD_S = 1.0
"""Least time between two writes."""
SOURCE = "resume"
OPTIONS = ("renderer", "osc_port", "osc_out", "osc_host", "osc_allow")
"""Further fields of the plan that are kept."""


def take_over(name: str) -> bool:
    """Put aside what a show of this name that was killed kept, before another one writes there; whether there is any.

    Raises:
        SonoramaError: the name cannot name a show.

    """
    record = _record(check_name(name))
    try:
        said = json.loads(read_private(record))
        if process_lives(int(said["pid"]), float(said["started"])):
            return False
        _killed(name).parent.mkdir(mode=0o700, exist_ok=True)
        record.replace(_killed(name))
    except (OSError, SonoramaError, ValueError, KeyError, TypeError):
        return False
    state = _killed_state(name)
    with contextlib.suppress(OSError):
        state.unlink(missing_ok=True)
    with contextlib.suppress(OSError, SonoramaError):
        write_private(state, read_private(shared_path(f"{name}.state")))
    return True


def offer(name: str) -> str:
    """The line that says how to go on with a show that was killed."""
    at = datetime.fromtimestamp(_killed(name).stat().st_mtime).astimezone()
    option = "" if name == ShowPlan.name else f" --name {name}"
    return f"The show {name} was killed at {at:%H:%M} ({at:%d %B}); to go on with it: sonorama live --resume{option}"


def resumed(plan: ShowPlan, given: Mapping[str, Value], world: str | None, options: Collection[str] = ()) -> ShowPlan:
    """A plan with everything that the killed show of its name had and the command line does not name.

    Args:
        plan: as the command line asks for it; an empty source, no sinks, no bridges: as before.
        given: values of parameters that the command line names.
        world: the world that it names; None: as before.
        options: those of OPTIONS that it names; the others are as before.

    Raises:
        SonoramaError: no show of this name was killed, or its world is gone.

    """
    try:
        said: dict[str, Any] = json.loads(read_private(_killed(plan.name)))
        values, _ = sift(said["values"], SHOW)
        now = world or str(said["world"])
        cues, play, cue = str(said.get("cues") or ""), bool(said.get("play")), int(said.get("cue") or 0)
        kept: dict[str, Any] = said.get("options") or {}
        before = {name: kept[name] for name in OPTIONS if name in kept and name not in options}
        if "osc_allow" in before:
            before["osc_allow"] = tuple(map(str, before["osc_allow"]))
        source, sinks, bridges = (str(said["source"]), tuple(map(str, said["sinks"])), tuple(map(str, said["bridges"])))
    except (OSError, SonoramaError, ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"There is no killed show called {plan.name} to go on with"
        raise SonoramaError(message, "Leave --resume out, or name another show with --name.") from error
    slots, _ = by_slot(values, classes_of(now))
    slots.pop(ENGINE_WORLD, None)
    return replace(
        plan, **before, world=now, values={**slots, **given}, source=plan.source or source, sinks=plan.sinks or sinks,
        bridges=plan.bridges or bridges, cues=plan.cues or (Path(cues) if cues else None), play=plan.play or play,
        cue=cue, resumed=True, motion=_motion(plan.name) if now == said["world"] else None,
    )  # fmt: skip


def _motion(name: str) -> Motion | None:
    """The state that the killed show's renderer saved last; None where it is gone, as after a restart of the system."""
    file = _killed_state(name)
    try:
        _, state = read_state(file)
        return Motion(file, int(state["frame"]), int(state["sample"]), dict(state["params"]["target"]))
    except (SonoramaError, KeyError, TypeError, ValueError):
        return None


def differences(motion: Motion, values: Mapping[str, Value]) -> list[Change]:
    """The changes from the values in a saved state to those that hold."""
    paths = [path for path in motion.values if path in values and path != ENGINE_WORLD and not SHOW[path].event]
    return [Change(path, values[path], SOURCE) for path in paths if values[path] != motion.values[path]]


def _anywhere(text: str, before: str = "") -> str:
    """A path of a file, behind `before`, as it holds in any folder; anything else as it is."""
    path = Path(text.removeprefix(before))
    return f"{before}{path.resolve()}" if text.startswith(before) and is_there(path) and path.is_file() else text


def _record(name: str) -> Path:
    return shows_folder() / f"{name}.json"


def _killed(name: str) -> Path:
    return shows_folder() / "killed" / f"{name}.json"


def _killed_state(name: str) -> Path:
    return shows_folder() / "killed" / f"{name}.state"


class ResumeRecord:
    """Keeps the file of one show up to date.

    Args:
        plan: of the show.
        control_state: the values of all parameters.
        events: of the show.
        write: called with (kind, job) for what is written to disk, in another thread.

    """

    def __init__(
        self,
        plan: ShowPlan,
        control_state: ControlState,
        events: ShowEvents,
        write: Callable[[str, Callable[[], None]], None],
    ) -> None:
        self._plan, self._control_state, self._write = plan, control_state, write
        self._path = _record(plan.name)
        self._changed, self._due, self._failed, self._cue = True, 0.0, False, 0
        events.changed.subscribe(self._note, "record for --resume")
        events.status.subscribe(self._keep, "record for --resume")

    def _note(self, _: object) -> None:
        self._changed = True

    def _keep(self, _: Status) -> None:
        now, cues = time.monotonic(), self._control_state.cues
        if (cue := cues.current if cues.running else 0) != self._cue:
            self._changed, self._cue = True, cue
        if not self._changed or self._failed or now < self._due:
            return
        self._changed, self._due = False, now + PERIOD_S
        state = self._control_state
        left_out = (*NEVER, *LABELS)  # names of scenes are in the scenes' own file
        kept = {path: value for path, value in state.values.items() if not SHOW[path].event and path not in left_out}
        classes, cue = state.classes, self._cue
        self._write("record for --resume", lambda: self._save(kept, classes, cue))

    def _content(self, values: Mapping[str, Value], classes: Sequence[str], cue: int) -> dict[str, Any]:
        plan = self._plan
        return {
            "pid": os.getpid(),
            "started": process_started(os.getpid()),
            "world": _anywhere(str(values[ENGINE_WORLD])),
            "source": _anywhere(plan.source, "file:"),
            "sinks": plan.sinks,
            "bridges": plan.bridges,
            "options": {name: getattr(plan, name) for name in OPTIONS},
            "values": by_class(values, classes),
            "cues": str(plan.cues.resolve()) if plan.cues else "",
            "play": plan.play,
            "cue": cue,
        }

    def _save(self, values: Mapping[str, Value], classes: Sequence[str], cue: int) -> None:
        """In the thread that writes to disk."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._path, json.dumps(self._content(values, classes, cue)).encode())
        except OSError as error:
            self._failed = True  # it is said once
            message = f"This show could not be resumed: {self._path} cannot be written: {error.strerror}"
            raise OutputError(message, "Allow writing there, or set SONORAMA_SHOWS to another folder.") from error
        if self._plan.resumed:  # what they held goes on here
            for left in (_killed(self._plan.name), _killed_state(self._plan.name)):
                left.unlink(missing_ok=True)

    def close(self) -> None:
        """The show has ended regularly: there is nothing to resume."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
