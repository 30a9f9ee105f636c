"""TensorBoard event files of a training: `tensorboard --logdir WORK/tensorboard`."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ..engine.errors import needing_extra
from .status import Status

log = logging.getLogger(__name__)
FOLDER = "tensorboard"
"""Of a work folder."""


class EventLog:
    """Writes scalars and pictures; a listener of a training.

    The folder is made with the first event. A disk that is full ends the events, not the training.

    Args:
        work: the training's work folder.

    Raises:
        MissingExtra: tensorboard is not installed.

    """

    def __init__(self, work: Path) -> None:
        with needing_extra():
            from tensorboard.compat.proto import summary_pb2
        self._summary = summary_pb2.Summary  # pyright: ignore[reportAttributeAccessIssue]
        self.folder = work / FOLDER
        self._file: BinaryIO | None = None
        self._failed = False

    def __call__(self, status: Status) -> None:
        """What a stage tells, below its name. The step is the number of pictures where it tells that, else thousandths
        of the stage.
        """
        step = round(status.figures.get("images", 1000 * status.share))
        self.scalars(status.stage, {k: v for k, v in status.figures.items() if k != "images"}, step)

    def scalars(self, group: str, figures: Mapping[str, float], step: int) -> None:
        """Numbers by name, shown together under `group`."""
        value = self._summary.Value
        self._write([value(tag=f"{group}/{name}", simple_value=float(x)) for name, x in figures.items()], step)

    def picture(self, name: str, jpeg: bytes, size: tuple[int, int], step: int) -> None:
        """A JPEG file of (height, width) px."""
        image = self._summary.Image(height=size[0], width=size[1], colorspace=3, encoded_image_string=jpeg)
        self._write([self._summary.Value(tag=name, image=image)], step)

    def _write(self, values: list[Any], step: int) -> None:
        if self._failed or not values:
            return
        try:
            if self._file is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                # TensorBoard reads files by their names' order: those of a training that goes on follow those before.
                self._file = (self.folder / f"events.out.tfevents.{time.time_ns()}.{os.getpid()}").open("ab")
                self._append(file_version="brain.Event:2")
            self._append(step=step, summary=self._summary(value=values))
        except OSError as error:
            self._failed = True
            log.warning("No more events for TensorBoard: %s: %s", self.folder, error.strerror or error)

    def _append(self, **what: Any) -> None:
        # Not by TensorBoard's own writer: its thread prints a traceback where the disk is full.
        from tensorboard.compat.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]
        from tensorboard.summary.writer.record_writer import RecordWriter

        if self._file is not None:
            RecordWriter(self._file).write(Event(wall_time=time.time(), **what).SerializeToString())
            self._file.flush()
