"""The show's status: for panels and bridges ten times a second, and in a file once a second."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TextIO

import msgspec

from ..audio.features import LIVE_METERS
from ..control.addresses import ENGINE_FPS, ENGINE_PRECISION, ENGINE_WORLD
from ..control.events import ShowEvents
from ..control.parameters import Value
from ..control.render_table import MEANING_SLOTS
from ..control.timecode import shown_timecode
from ..errors import OutputError
from ..ipc.messages import Hello, Meters, RendererStatus, Status
from ..units import EXACT, HALF_RATE
from .bridges import BridgeRunner
from .control_state import ControlState
from .output_loop import OutputLoop
from .recorder import Recorder
from .renderer import Renderer
from .sound import SoundInput

SCORES = 3
"""Classes whose scores bridges send."""
STALE_S = 1.0
PRECISION_NOW, FAST = f"{ENGINE_PRECISION}/now", "fast"
_LONGEST_LINE = 1 << 20


class Report:
    """Describes a show to panels (`hello`, `status`) and to bridges (`ShowEvents.measured`).

    Args:
        name: of the show.
        sound: whose source has a name.
        control_state: the values of all parameters.
        output_loop, recorder, renderer, bridges: of the show.
        events: of the show.
        faults: each gives lines about what is wrong now.

    """

    def __init__(
        self,
        name: str,
        sound: SoundInput,
        control_state: ControlState,
        output_loop: OutputLoop,
        recorder: Recorder,
        renderer: Renderer,
        bridges: BridgeRunner,
        events: ShowEvents,
        faults: Sequence[Callable[[], Iterable[str]]],
    ) -> None:
        self._name, self._sound, self._control_state, self._faults = name, sound, control_state, faults
        self._output_loop, self._recorder, self._renderer, self._bridges = output_loop, recorder, renderer, bridges
        self._measured = events.measured
        self._newest, self._newest_at = RendererStatus(), float("-inf")
        events.renderer_status.subscribe(self._keep, "status")
        events.meters.subscribe(self._send_meters, "status")
        events.status.subscribe(self._send_status, "status")

    def hello(self) -> Hello:
        """The first message to a panel."""
        world, port = str(self._control_state.values[ENGINE_WORLD]), int(self._bridges.facts.get("osc_port", 0))
        return Hello(self._name, world, self._name, port, metadata.version("sonorama"))

    def faults(self) -> list[str]:
        """Everything that is wrong now, one line each."""
        return [line for lines in self._faults for line in lines()]

    def status(self) -> Status:
        """What the renderer reported last and what the show itself knows."""
        measured = RendererStatus() if self._stale else self._newest
        tally, facts = self._output_loop.tally, self._bridges.facts
        own = {
            "source": self._sound.source,
            "classes": self._control_state.classes,
            "fps": round(tally.fps, 2),
            "target_fps": float(self._output_loop.info.fps),
            "late": tally.late,
            "delay_ms": round(tally.delay_ms, 1),
            "frame": tally.frame,
            "renderer_pid": self._renderer.pid,
            "restarts": self._renderer.restarts,
            "loading": tuple(self._renderer.loading),
            "recording": self._recorder.on,
            "scenes": tuple(self._control_state.scenes.stored),
            "scene": self._control_state.scene,
            "cues": self._control_state.cues.facts,
            "timecode": shown_timecode(self._control_state.values, self._sound.second_at(time.monotonic_ns())),
            "osc_port": int(facts.get("osc_port", 0)),
            "osc_received": int(facts.get("osc_received", 0)),
            "bridges": facts,
            "outputs": tuple(f"{one.label}: {one.about}" for one in self._output_loop.runners if one.alive),
            "faults": tuple(dict.fromkeys([*self.faults(), *measured.faults])),
        }
        return Status(**msgspec.structs.asdict(measured) | own)

    @property
    def _stale(self) -> bool:
        """Whether no renderer reported within STALE_S: its measurements count as unknown."""
        return time.monotonic() - self._newest_at >= STALE_S

    def _keep(self, status: RendererStatus) -> None:
        self._newest, self._newest_at = status, time.monotonic()

    def _send_meters(self, meters: Meters) -> None:
        self._measured.publish(osc_meters(meters.values))

    def _send_status(self, status: Status) -> None:
        self._measured.publish(osc_values(status, self._stale))


def osc_meters(meters: Iterable[float]) -> dict[str, Value]:
    """What bridges send with every frame: address to number."""
    return {f"/sound/{name}": float(value) for name, value in zip(LIVE_METERS, meters, strict=True)}


def osc_values(status: Status, silent: bool) -> dict[str, Value]:
    """What bridges send ten times a second: address to number or text.

    silent: no renderer reports, so the features of the sound are sent as 0; otherwise `osc_meters` sends them.
    """
    values: dict[str, Value] = osc_meters([0.0] * len(LIVE_METERS)) if silent else {}
    for number, (label, score) in enumerate(status.scores[:SCORES], 1):
        values[f"/heard/{number}/score"] = score
        values[f"/heard/{number}/label"] = label
    for slot, label in enumerate(status.classes[:MEANING_SLOTS], 1):
        values[f"/meaning/{slot}/label"] = label
        values[f"/meaning/{slot}/score"] = status.class_scores[slot - 1] if status.class_scores else 0.0
    values[ENGINE_FPS], values["/engine/late"] = status.fps, status.late
    values["/engine/latency"] = status.delay_ms
    if status.precision:
        values[PRECISION_NOW] = EXACT if status.precision in (EXACT, f"{EXACT}, {HALF_RATE}") else FAST
    for name in ("now", "next", "left"):
        values[f"/cue/{name}"] = status.cues.get(name, "")
    values["/health"] = 0 if status.faults or not status.renderer_pid else 1
    return values


class Stats:
    """Appends the status to a file, one JSON object a second.

    Args:
        path: of the file: new, empty, or with statistics of an earlier show.

    Raises:
        OutputError: it cannot be written, or holds something else.

    """

    FIELDS = ("fps", "late", "delay_ms", "precision", "renderer_pid", "restarts", "heard", "faults", "frame")

    def __init__(self, path: Path) -> None:
        self._path, self._due = path, 0.0
        if path.is_fifo():  # opening it would wait for a reader
            raise OutputError(f"{path} is a pipe", "Name a file.")
        try:
            if path.is_file() and not self._ours(path):
                raise OutputError(f"{path} holds no statistics of a show, and stays as it is", "Choose another file.")
            self._open()
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error.strerror}", "Choose another file.") from error

    def _open(self) -> None:
        self._file: TextIO = self._path.open("a", encoding="utf-8")
        self._counts_names = os.fstat(self._file.fileno()).st_nlink > 0  # not every file system does

    @staticmethod
    def _ours(path: Path) -> bool:
        """Whether a file is empty or begins with a line of statistics. Raises OSError."""
        with path.open("rb") as file:
            line = file.readline(_LONGEST_LINE)
        try:
            row = json.loads(line or "null")
        except ValueError:  # no JSON, or no UTF-8
            return False
        return not line or (isinstance(row, dict) and {"time", "fps", "frame"} <= row.keys())

    def note(self, status: Status) -> None:
        """Append, once a second.

        Raises:
            OutputError: it cannot be written.

        """
        now = time.monotonic()
        if now < self._due:
            return
        self._due = max(self._due + 1.0, now + 0.5)
        values = msgspec.structs.asdict(status) | {"heard": status.scores}
        row = {"time": round(time.time(), 3), **{name: values[name] for name in self.FIELDS}}
        try:
            if self._counts_names and os.fstat(self._file.fileno()).st_nlink == 0:  # removed, as logs are rotated
                old = self._file
                self._open()
                old.close()
            self._file.write(json.dumps(row) + "\n")
            self._file.flush()
        except OSError as error:
            raise OutputError(f"{self._path} cannot be written: {error.strerror}", "Make room.") from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def open_stats(path: Path | None, events: ShowEvents, write: Callable[[str, Callable[[], None]], None]) -> Stats | None:
    """Append the status of a show to a file; None without one.

    Args:
        path: of the file.
        events: of the show.
        write: called with (kind, job) for what is written to disk, in another thread.

    Raises:
        OutputError: it cannot be written.

    """
    if path is None:
        return None
    stats = Stats(path)
    events.status.subscribe(lambda status: write("statistics", partial(stats.note, status)), "statistics")
    return stats
