"""Ableton Link as a bridge: the entry point `link` of `sonorama.bridges`."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sonorama.engine.control.parameters import Value
from sonorama.engine.errors import SonoramaError, needing_extra
from sonorama.engine.plugins.interfaces import Available, BridgePort, Missing
from sonorama.engine.whole_numbers import whole_number

from ...arguments import Words

if TYPE_CHECKING:
    from .follower import Follower

LONGEST = 64
"""Largest quantum in beats."""


def probe() -> Available | Missing:
    """Whether the library is installed."""
    if importlib.util.find_spec("aalink") is None:
        return Missing("aalink is missing", "pip install 'sonorama[link]'")
    return Available("tempo, beat and start/stop of Ableton Link; link:3 for bars of three beats")


class LinkBridge:
    """Follows an Ableton Link session; it never changes the session's tempo.

    Args:
        argument: the quantum, 1 to 64 beats (`3` or `quantum=3`); 4 by default. Programs with the same quantum begin
            their bars together.

    Raises:
        SonoramaError: an unknown word, or a value that is none.

    """

    once = True

    def __init__(self, argument: str) -> None:
        text = Words("The bridge link", argument, ("quantum",), alone="quantum").last("quantum", "4")
        quantum = whole_number(text, 1, LONGEST)
        if quantum is None:
            raise SonoramaError(f"The bridge link: {text!r} is no quantum", f"Say 1 to {LONGEST}: link:4")
        self._quantum = quantum
        self._follower: Follower | None = None

    @property
    def facts(self) -> Mapping[str, Value]:
        """link_peers: other programs in the session. link_playing: whether it counts as playing."""
        return {} if self._follower is None else self._follower.facts

    def start(self, port: BridgePort) -> None:
        """Join the session on the networks of this machine.

        Raises:
            SonoramaError: the library is not installed.

        """
        with needing_extra():
            from .follower import Follower

        self._follower = Follower(port, self._quantum)
        self._follower.start()

    def faults(self) -> Iterable[str]:
        """Whether nobody else is there, and what went wrong."""
        return [] if self._follower is None else self._follower.faults()

    def stop(self) -> None:
        """Leave the session."""
        if self._follower is not None:
            self._follower.close()
