"""Recording: switched by `/out/record`; every recording is a `record` sink with a new file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from ..control.addresses import OUT_RECORD
from ..control.events import ShowEvents
from ..control.parameters import Change
from ..errors import OutputError, SonoramaError
from ..faults import Faults
from ..files.atomic import check_folder
from ..files.folders import videos_folder
from ..plugins.registry import open_sink
from .output_loop import OutputLoop
from .sink_runner import SinkRunner

SOURCE = "recorder"
"""Source of the recorder's own changes."""
_HINT = "Start the show with --record and a file elsewhere, or make room."


class Recorder:
    """The recorder of a show. `set` is called by the control loop's thread only.

    Args:
        where: a file, or None for a new name in the user's videos folder.
        show: its name.
        output_loop: sends the pictures.
        post: asks for a change; `/out/record` goes back to 0 when nothing is recorded any more.
        events: of the show.
        faults: where to report what goes wrong.

    Raises:
        SonoramaError: nothing can be written to `where`.

    """

    def __init__(
        self,
        where: Path | None,
        show: str,
        output_loop: OutputLoop,
        post: Callable[[Change], None],
        events: ShowEvents,
        faults: Faults,
    ) -> None:
        if where is not None:
            open_sink(f"record:{where}")
            check_folder(where.parent, where)
        self._where, self._show, self._output_loop, self._faults = where, show, output_loop, faults
        self._post = post
        self._runner: SinkRunner | None = None
        self._ended = False
        events.changed.subscribe(self._changed, "recorder")
        events.status.subscribe(self._watch, "recorder")

    @property
    def on(self) -> bool:
        """Whether it records."""
        return self._runner is not None and self._runner.alive

    def _changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.path == OUT_RECORD and change.source != SOURCE:
                self.set(bool(change.value))

    def set(self, on: bool) -> None:
        """Begin a new file, or end the one that is being written."""
        if on and self.on:
            return
        if self._runner is not None:
            self._output_loop.drop(self._runner)
            self._runner = None
        if on:
            self._begin()

    def _watch(self, _: object) -> None:
        """A recording that has ended by itself is switched off. Its sink stays, and says why, until it is switched."""
        if self._runner is not None and not self._runner.alive and not self._ended:
            self._ended = True
            self._post(Change(OUT_RECORD, False, SOURCE))

    def _begin(self) -> None:
        try:
            label, make = open_sink(f"record:{self._where or self._new_name()}")
            self._runner = SinkRunner(label, make, self._output_loop.info)
        except SonoramaError as error:
            self._faults.note("record", f"Nothing is recorded: {error.message}. {error.hint}")
            self._post(Change(OUT_RECORD, False, SOURCE))
            return
        self._ended = False
        self._output_loop.add(self._runner)

    def _new_name(self) -> Path:
        """A name in the user's videos folder. Raises OutputError where nothing can be written there."""
        folder = videos_folder()
        where = folder / f"{self._show}-{datetime.now():%Y%m%d-%H%M%S}.mp4"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            check_folder(folder, where)
        except OSError as error:
            raise OutputError(f"{folder} cannot be made: {error.strerror or error}", _HINT) from error
        except OutputError as error:
            raise OutputError(error.message, _HINT) from error
        return where

    def close(self) -> None:
        """End the file."""
        self.set(False)
