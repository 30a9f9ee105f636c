"""Gamepads as a bridge: the entry point `gamepad` of `sonorama.bridges`."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sonorama.engine.control.parameters import Value
from sonorama.engine.errors import SonoramaError, needing_extra
from sonorama.engine.plugins.interfaces import Available, BridgePort, Missing

from ...arguments import Words
from .mapping import read_lines

if TYPE_CHECKING:
    from .worker import Worker

WORDS = ("pad", "map", "dead")
_DEAD = 15
_ONLY = threading.Lock()
"""SDL has one queue of events a process: a second bridge would take every other movement away."""


def probe() -> Available | Missing:
    """Whether the library is installed."""
    if importlib.util.find_spec("sdl2") is None:
        return Missing("PySDL2 is missing", "pip install 'sonorama[gamepad]'")
    return Available("sticks play the blend surface, buttons fire triggers; gamepad:NAME for one of several")


class GamepadBridge:
    """Gamepads.

    Args:
        argument: part of a gamepad's name, or `pad=NAME&pad=OTHER&map=FILE&dead=15`, each optional. Without a pad, all
            that are there and come later. map: which control plays what; by default the map that comes with sonorama.
            dead: radius of the sticks' dead zone in percent, 0 to 90.

    Raises:
        SonoramaError: an unknown word, or a value that is none.

    """

    once = True

    def __init__(self, argument: str) -> None:
        words = Words("The bridge gamepad", argument, WORDS, alone="pad")
        self._wanted, self._map = [part for part in words.all("pad") if part], words.last("map", "")
        self._dead = words.number("dead", _DEAD, range(91), "percentage") / 100
        self._worker: Worker | None = None

    @property
    def facts(self) -> Mapping[str, Value]:
        """gamepad_pads: names of those that play."""
        return {} if self._worker is None else {"gamepad_pads": self._worker.names}

    def start(self, port: BridgePort) -> None:
        """Open the gamepads that are there; others are opened when they come.

        Raises:
            SonoramaError: the library is not installed or does not start, the map cannot be used, or another bridge of
                this kind runs.

        """
        try:
            with needing_extra():
                from .worker import Worker
        except ImportError as error:  # PySDL2 without the library itself
            raise SonoramaError(f"SDL 2 is missing: {error}", "pip install 'sonorama[gamepad]'") from error

        worker = Worker(port, read_lines(self._map), self._wanted, self._dead)
        if not _ONLY.acquire(blocking=False):
            raise SonoramaError("The bridge gamepad runs already", "Use one of them; it plays all gamepads.")
        self._worker = worker
        try:
            worker.start()
        except BaseException:
            self.stop()
            raise

    def faults(self) -> Iterable[str]:
        """That no gamepad is there, and what went wrong lately."""
        return [] if self._worker is None else self._worker.problems()

    def stop(self) -> None:
        """End the thread."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
            _ONLY.release()
