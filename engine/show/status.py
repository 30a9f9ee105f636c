"""The show's status: for panels and OSC ten times a second, and into a file once a second."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

import msgspec

from ..audio.features import METERS
from ..control.parameters import Value
from ..errors import OutputError
from ..ipc.messages import RendererStatus, Status
from .output_loop import OutputCounts

SCORES = 3
"""Classes whose scores leave by OSC."""
STALE_S = 1.0


class Report:
    """Puts together what the renderer reported last with what the show knows.

    Args:
        source: name of the sound's source.
        tally: of the outputs.
        faults: everything that is wrong now, one line each.

    """

    def __init__(self, source: str, tally: Callable[[], OutputCounts], faults: Callable[[], Iterable[str]]) -> None:
        self._source, self._tally, self._faults = source, tally, faults
        self._said, self._said_at = RendererStatus(), float("-inf")

    def hear(self, said: RendererStatus) -> None:
        """The renderer's report."""
        self._said, self._said_at = said, time.monotonic()

    @property
    def stale(self) -> bool:
        """Whether no renderer reported within STALE_S: its measurements count as unknown."""
        return time.monotonic() - self._said_at >= STALE_S

    def status(self, **more: Any) -> Status:
        """For panels. more: the fields of Status that only the show itself knows."""
        said, tally = RendererStatus() if self.stale else self._said, self._tally()
        own = {
            "source": self._source,
            "fps": round(tally.fps, 2),
            "late": tally.late,
            "delay_ms": round(tally.delay_ms, 1),
            "frame": tally.frame,
            "faults": tuple(dict.fromkeys([*self._faults(), *said.faults])),
        }
        return Status(**msgspec.structs.asdict(said) | more | own)


def osc_meters(meters: Iterable[float]) -> dict[str, Value]:
    """What leaves by OSC with every frame: address to number."""
    return {f"/sound/{name}": float(value) for name, value in zip(METERS, meters, strict=True)}


def osc_values(status: Status, silent: bool) -> dict[str, Value]:
    """What leaves by OSC ten times a second: address to number or word.

    silent: no renderer reports, so the sound's features are sent as 0; otherwise they leave with every frame.
    """
    values: dict[str, Value] = osc_meters([0.0] * len(METERS)) if silent else {}
    for number, (label, score) in enumerate(status.scores[:SCORES], 1):
        values[f"/heard/{number}/score"] = score
        values[f"/heard/{number}/label"] = label
    values["/engine/fps"], values["/engine/late"] = status.fps, status.late
    values["/engine/latency"] = status.delay_ms
    values["/health"] = 0 if status.faults or not status.renderer_pid else 1
    return values


class Stats:
    """One JSON object a second into a file.

    Raises:
        OutputError: it cannot be written.

    """

    FIELDS = ("fps", "late", "delay_ms", "renderer_pid", "restarts", "heard", "faults", "frame")

    def __init__(self, path: Path) -> None:
        self._path, self._due = path, 0.0
        if path.is_fifo():  # opening it would wait for a reader
            raise OutputError(f"{path} is a pipe", "Name a file.")
        try:
            self._file: TextIO = path.open("a", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error.strerror}", "Choose another file.") from error

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
            self._file.write(json.dumps(row) + "\n")
            self._file.flush()
        except OSError as error:
            raise OutputError(f"{self._path} cannot be written: {error.strerror}", "Make room.") from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()
