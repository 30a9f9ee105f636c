"""SIGTERM and Ctrl-C during training: the step is finished and a checkpoint written before the process ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from ....engine.cli.main import Terminated


class Stop:
    """Says whether a signal came, and raises what it means once everything is saved."""

    def __init__(self) -> None:
        self.number: int | None = None

    def __call__(self) -> bool:
        """Whether to stop."""
        return self.number is not None

    def settle(self, handlers: Mapping[signal.Signals, object]) -> None:
        """Do what a signal that came would have done before: call its handler, or raise KeyboardInterrupt or
        Terminated.
        """
        if self.number is None:
            return
        handler = handlers.get(signal.Signals(self.number))
        if callable(handler):
            handler(self.number, None)
        raise Terminated(self.number) if self.number == signal.SIGTERM else KeyboardInterrupt


@contextmanager
def stop_between_steps() -> Iterator[Stop]:
    """Catch both signals while the block runs; only the main thread may."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def note(number: int, _frame: FrameType | None) -> None:
        stop.number = number

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    stop.settle(before)
