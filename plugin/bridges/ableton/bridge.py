"""Ableton Live as a bridge: the entry point `ableton` of `sonorama.bridges`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sonorama.engine.control.parameters import Value
from sonorama.engine.osc.sockets import address_of
from sonorama.engine.plugins.interfaces import Available, BridgePort

from ...arguments import Words
from .client import Client

PORT, REPLIES = 11_000, 11_001
"""Where AbletonOSC listens, and where it sends to."""
WORDS = ("host", "port", "replies")


def probe() -> Available:
    """Nothing is needed here; the remote script is installed in Live."""
    return Available("tempo, beat and launches of Ableton Live, with the remote script AbletonOSC")


class AbletonBridge:
    """A client of AbletonOSC.

    Args:
        argument: the machine on which Live runs, or `host=127.0.0.1&port=11000&replies=11001`, each optional. port:
            where AbletonOSC listens. replies: the port of this machine to which it sends.

    Raises:
        SonoramaError: an unknown word, or a value that is none.

    """

    def __init__(self, argument: str) -> None:
        words, ports = Words("The bridge ableton", argument, WORDS, alone="host"), range(1, 65_536)
        self._host = words.last("host", "") or "127.0.0.1"
        self._port = words.number("port", PORT, ports)
        self._replies = words.number("replies", REPLIES, ports, "port")
        self._client: Client | None = None

    @property
    def facts(self) -> Mapping[str, Value]:
        """ableton_tempo: of Live, 0: unknown. ableton_playing: whether Live plays. ableton_launched: number of the
        scene or slot that was launched last, 0: none.
        """
        return {} if self._client is None else self._client.facts

    def start(self, port: BridgePort) -> None:
        """Ask Live what to follow; it may be started later.

        Raises:
            SonoramaError: no such machine, or the port of the replies is taken.

        """
        self._client = Client(port, (address_of(self._host), self._port), self._replies)
        self._client.start()

    def faults(self) -> Iterable[str]:
        """Whether Live answers, and what went wrong."""
        return [] if self._client is None else self._client.faults()

    def stop(self) -> None:
        """Ask for nothing any more, and close the port."""
        if self._client is not None:
            self._client.close()
