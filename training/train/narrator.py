"""Says every minute what a training does, how good it is and when it ends."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from ..status import Status
from .schedule import Schedule, in_words

EVERY_S = 60.0
DOES: Mapping[str, str] = {
    "generator": "learning the pictures",
    "joint": "learning which sounds and words belong to which pictures",
    "directions": "learning what each sound does to a picture",
    "encoder": "learning to follow a sound (eqs. 2 and 3)",
    "clips": "preparing moving examples",
    "motion": "learning to move",
    "adversarial": "learning to move as filmed (eqs. 7 to 9)",
    "rest": "learning to move about its place",
    "bank": "looking for the picture of every seed",
}
GOOD: Mapping[str, tuple[str, str, str]] = {
    "generator": ("l1", "pictures are off by {} of the range from black to white", ".1%"),
    "directions": ("loss", "loss {}", ".3f"),
    "encoder": ("cosine", "picture and sound agree by {}", ".2f"),
    "motion": ("loss", "loss {}", ".4f"),
    "adversarial": ("video", "video discriminator {}", ".3f"),
    "rest": ("offset", "{} of its bound away from its place", ".2f"),
}
"""What tells best how good a stage is: one of its figures, a sentence, and the form of the number."""


class Narrator:
    """Listens to a training; a line a minute on stderr while it is entered."""

    def __init__(self, schedule: Schedule, say: Callable[[str], object] | None = None) -> None:
        self._schedule, self._say = schedule, say or sys.stderr.write
        self._now: Status | None = None
        self._first: dict[str, float] = {}
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._talk, name="narrator", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def __call__(self, status: Status) -> None:
        """Hear where a stage is."""
        with self._lock:
            new = self._now is None or self._now.stage != status.stage
            self._now = status
            self._schedule.at(status.stage, status.share)
            if (figure := _figure(status)) is not None:
                self._first.setdefault(status.stage, figure[1])
            if new:
                self._say(self.line())

    def line(self) -> str:
        """What is done now, how good it is, and when all is over."""
        now, status = datetime.now(), self._now
        if status is None:
            return ""
        rest = self._schedule.remaining()
        stage = status.stage.split(" ")[0]
        parts = [f"{now:%H:%M} {status.stage}: {DOES.get(stage, 'at work')}", f"{100 * status.share:.0f} %"]
        if (figure := _figure(status)) is not None:
            sentence, value, form = figure
            first = self._first.get(status.stage, value)
            said = sentence.format(format(value, form))
            parts.append(said if first == value else f"{said} ({format(first, form)} at first)")
        return ", ".join(parts) + f". Ends {now + timedelta(seconds=rest):%H:%M}, in {in_words(rest)}.\n"

    def _talk(self) -> None:
        begun = time.monotonic()
        while not self._ended.wait(EVERY_S - (time.monotonic() - begun) % EVERY_S):
            with self._lock:
                if self._now is not None:
                    self._say(self.line())


def _figure(status: Status) -> tuple[str, float, str] | None:
    """The sentence, figure and form that tell best how good it is; None where there is none."""
    name, sentence, form = GOOD.get(status.stage.split(" ")[0], ("", "", ""))
    if name not in status.figures:
        return None
    value = status.figures[name]
    return sentence, value / 2 if name == "l1" else value, form  # l1 is of pictures in -1..1
