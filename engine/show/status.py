"""What the show says of itself: to panels ten times a second, to OSC, and into a file once a second."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

from ..audio.features import METERS
from ..control.parameters import Value
from ..errors import OutputError
from .output_loop import OutputCounts

HEARD = 3
STALE_S = 1.0


class Report:
    """Puts together what the renderer said last with what the show knows.

    Args:
        facts: what does not change: `source`, `osc_port`.
        tally: of the outputs.
        faults: everything that is wrong now.

    """

    def __init__(
        self, facts: Mapping[str, Any], tally: Callable[[], OutputCounts], faults: Callable[[], Iterable[str]]
    ) -> None:
        self._facts, self._tally, self._faults = facts, tally, faults
        self._said: Mapping[str, Any] = {}
        self._said_at = 0.0

    def hear(self, said: Mapping[str, Any]) -> None:
        """The renderer's report."""
        self._said, self._said_at = said, time.monotonic()

    def status(self, **more: Any) -> dict[str, Any]:
        """For panels: the fields of ui/status.py. more: what only the show itself knows."""
        said = self._said if time.monotonic() - self._said_at < STALE_S else {}
        tally = self._tally()
        faults = list(dict.fromkeys([*self._faults(), *said.get("faults", ())]))
        whole = {name: value for name, value in said.items() if name not in ("refused", "faults", "sample")}
        return {
            **whole,
            **self._facts,
            **more,
            "fps": round(tally.fps, 2),
            "late": tally.late,
            "delay_ms": round(tally.delay_ms, 1),
            "frame": tally.frame,
            "faults": faults,
        }


def osc_meters(meters: Iterable[float]) -> dict[str, Value]:
    """What leaves by OSC with every frame: address to number."""
    return {f"/sound/{name}": float(value) for name, value in zip(METERS, meters, strict=True)}


def osc_values(status: Mapping[str, Any]) -> dict[str, Value]:
    """What leaves by OSC ten times a second: address to number or word. The sound leaves with every frame."""
    values: dict[str, Value] = {} if "level" in status else osc_meters([0.0] * len(METERS))
    for number, (label, score) in enumerate(status.get("heard", ())[:HEARD], 1):
        values[f"/heard/{number}/score"] = float(score)
        values[f"/heard/{number}/label"] = str(label)
    values["/engine/fps"], values["/engine/late"] = float(status["fps"]), int(status["late"])
    values["/engine/latency"] = float(status["delay_ms"])
    values["/health"] = 0 if status["faults"] or not status.get("renderer_pid") else 1
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

    def note(self, status: Mapping[str, Any]) -> None:
        """Append, once a second.

        Raises:
            OutputError: it cannot be written.

        """
        now = time.monotonic()
        if now < self._due:
            return
        self._due = max(self._due + 1.0, now + 0.5)
        row = {"time": round(time.time(), 3), **{name: status.get(name) for name in self.FIELDS}}
        try:
            self._file.write(json.dumps(row) + "\n")
            self._file.flush()
        except OSError as error:
            raise OutputError(f"{self._path} cannot be written: {error.strerror}", "Make room.") from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()
