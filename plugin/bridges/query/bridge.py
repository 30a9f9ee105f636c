"""OSCQuery as a bridge: the entry point `query` of `sonorama.bridges`."""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sonorama.engine.control.parameters import Value
from sonorama.engine.errors import SonoramaError, needing_extra
from sonorama.engine.faults import Faults
from sonorama.engine.ipc.channel import busy_port
from sonorama.engine.osc.sockets import address_of, family_of, unreachable
from sonorama.engine.plugins.interfaces import Available, BridgePort, Missing

from ...arguments import Words
from .guard import Guard

if TYPE_CHECKING:
    from .server import QueryServer

PORT, PORTS = 9125, 20
WORDS = ("port", "host", "allow", "name", "announce")


def probe() -> Available | Missing:
    """Whether the library is installed."""
    if importlib.util.find_spec("aiohttp") is None:
        return Missing("aiohttp is missing", "pip install 'sonorama[query]'")
    return Available(
        "OSCQuery and the tablet's page over HTTP; query:host=0.0.0.0&allow=192.168.1.0/24 for the network"
    )


class QueryBridge:
    """An OSCQuery server, and a page for a tablet at `/tablet`.

    Args:
        argument: `port=9125&host=127.0.0.1&allow=192.168.1.20&name=studio.lan&announce=1`, each optional; `allow` and
            `name` may be repeated. port: where to listen, the next free one if it is busy (0: any). host: address to
            listen at. allow: other machines or networks that may connect. name: by which browsers may call this
            machine besides its own. announce: 1 announces the server by zeroconf.

    Raises:
        SonoramaError: an unknown word, or a value that is none.

    """

    def __init__(self, argument: str) -> None:
        words = Words("The bridge query", argument, WORDS, alone="port")
        self._wanted, self._host = words.number("port", PORT, range(65_536)), words.last("host", "127.0.0.1")
        self._allow = words.all("allow")
        self._guard = Guard(self._allow, words.all("name"))
        self._announce = words.switch("announce")
        self._server: QueryServer | None = None
        self._facts: dict[str, Value] = {}
        self._own_faults = Faults()
        self._stack = ExitStack()

    @property
    def facts(self) -> Mapping[str, Value]:
        """query_port: where it listens. query_page: address of the tablet's page."""
        return self._facts

    def start(self, port: BridgePort) -> None:
        """Listen.

        Raises:
            SonoramaError: aiohttp is not installed, no free port among 20, no such address here, or no announcement.

        """
        with needing_extra():
            from .server import PAGE, QueryServer

        with ExitStack() as undo:
            listening = undo.enter_context(_listening(address_of(self._host), self._wanted))
            at = listening.getsockname()[1]
            self._server = QueryServer(port, self._guard, listening)
            undo.callback(self._server.close)
            self._server.start()
            if self._announce:
                with needing_extra():
                    from .announce import Announcement

                undo.enter_context(Announcement(port.name, address_of(self._host), at))
            if line := busy_port("OSCQuery", self._wanted, at, "query_port"):
                self._own_faults.note("port", line)
            if line := unreachable(self._host, self._allow, ("host=", "allow=")):
                self._own_faults.note("allow", f"OSCQuery: {line}")
            self._facts = {"query_port": at, "query_page": f"http://{_shown(self._host)}:{at}{PAGE}"}
            self._stack = undo.pop_all()

    def faults(self) -> Iterable[str]:
        """What was refused lately, and at first that the port was busy."""
        return [*self._own_faults.recent(), *(self._server.faults() if self._server is not None else ())]

    def stop(self) -> None:
        """Close the sockets."""
        self._stack.close()


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 (compared, not bound)
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


def _listening(host: str, port: int) -> socket.socket:
    """A socket at the port, or the next free one. Raises SonoramaError."""
    why = ""
    for number in range(port, port + (PORTS if port else 1)):
        one = socket.socket(family_of(host), socket.SOCK_STREAM)
        try:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((host, number))
            one.listen(64)
            one.setblocking(False)
        except (OSError, OverflowError) as error:
            one.close()
            why = str(getattr(error, "strerror", None) or error)
            continue
        return one
    raise SonoramaError(f"OSCQuery cannot listen at {host}, port {port}: {why}", "Choose another port or host.")
