"""Recording: switched by `/out/record`; every recording is a `record` sink with a new file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ..control.addresses import OUT_RECORD
from ..control.events import ShowEvents
from ..control.parameters import Change
from ..errors import SonoramaError
from ..faults import Faults
from ..files.atomic import check_folder
from ..files.folders import videos_folder
from ..plugins.registry import open_sink
from .output_loop import OutputLoop
from .sink_runner import SinkRunner


class Recorder:
    """The recorder of a show. `set` is called by the control loop's thread only.

    Args:
        where: a file, or None for a new name in the user's videos folder.
        show: its name.
        output_loop: sends the pictures.
        events: of the show.
        faults: where to report what goes wrong.

    Raises:
        SonoramaError: nothing can be written to `where`.

    """

    def __init__(
        self, where: Path | None, show: str, output_loop: OutputLoop, events: ShowEvents, faults: Faults
    ) -> None:
        if where is not None:
            open_sink(f"record:{where}")
            check_folder(where.parent, where)
        self._where, self._show, self._output_loop, self._faults = where, show, output_loop, faults
        self._runner: SinkRunner | None = None
        events.changed.subscribe(self._changed, "recorder")

    @property
    def on(self) -> bool:
        """Whether it records."""
        return self._runner is not None and self._runner.alive

    def _changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.path == OUT_RECORD:
                self.set(bool(change.value))

    def set(self, on: bool) -> None:
        """Begin a new file, or end the one that is being written."""
        if on == self.on:
            return
        if self._runner is not None:
            self._output_loop.drop(self._runner)
            self._runner = None
        if on:
            self._begin()

    def _begin(self) -> None:
        where = self._where
        try:
            if where is None:
                folder = videos_folder()
                folder.mkdir(parents=True, exist_ok=True)
                where = folder / f"{self._show}-{datetime.now():%Y%m%d-%H%M%S}.mp4"
            label, make = open_sink(f"record:{where}")
            self._runner = SinkRunner(label, make, self._output_loop.info)
        except (SonoramaError, OSError) as error:
            self._faults.note("record", f"Nothing is recorded: {error}")
            return
        self._output_loop.add(self._runner)

    def close(self) -> None:
        """End the file."""
        self.set(False)
