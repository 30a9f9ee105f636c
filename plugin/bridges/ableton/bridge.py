"""Ableton Live as a bridge: the entry point `ableton` of `sonorama.bridges`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from sonorama.engine.control.parameters import Value
from sonorama.engine.errors import SonoramaError
from sonorama.engine.osc.sockets import address_of
from sonorama.engine.plugins.interfaces import Available, BridgePort

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
        words = dict(parse_qsl(argument, keep_blank_values=True) if "=" in argument else [("host", argument)])
        if unknown := set(words) - set(WORDS):
            raise SonoramaError(f"The bridge ableton knows no {min(unknown)}", f"Use {', '.join(WORDS)}.")
        self._host = words.get("host") or "127.0.0.1"
        self._port, self._replies = _port(words, "port", PORT), _port(words, "replies", REPLIES)
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


def _port(words: Mapping[str, str], name: str, default: int) -> int:
    text = words.get(name, str(default))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65_535):
        raise SonoramaError(f"The bridge ableton: {name}={text} is no port", "Use 1 to 65535.")
    return int(text)
