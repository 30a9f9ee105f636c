"""How far a training is: stages tell it, whoever follows it listens (a log, the minute's report, TensorBoard)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Status:
    """A stage at work.

    Attributes:
        stage: its name; that of stage 0 has the size it is at: `generator 32 px`.
        share: of it that is done, in 0..1.
        figures: losses and measures by name, as floats.

    """

    stage: str
    share: float
    figures: Mapping[str, float]


StatusListener = Callable[[Status], None]


class Tell(Protocol):
    """How a stage tells where it is."""

    def __call__(self, share: float, /, **figures: float) -> None:
        """share: of the stage that is done, in 0..1."""


def silent(_share: float, /, **_figures: float) -> None:
    """Nobody listens."""


def log_status(status: Status) -> None:
    """Write it into the log: `encoder 40 %: cosine 0.213 loss 1.042`."""
    said = " ".join(f"{name} {value:.4g}" for name, value in status.figures.items())
    log.info("%s %.0f %%: %s", status.stage, 100 * status.share, said)
