"""OSC as a bridge: the entry point `osc` of `sonorama.bridges`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from ..control.accept import plain_names, valid_change
from ..control.class_addresses import parameter_of
from ..control.parameters import Change, Parameter, Value
from ..errors import SonoramaError
from ..faults import Faults
from ..ipc.channel import busy_port
from ..model.world_file import list_worlds
from ..plugins.interfaces import Available, BridgePort
from ..whole_numbers import whole_number
from .server import PORT, PORT_OUT, OscServer
from .sockets import network, unreachable


def osc_argument(port: int, out: int, host: str, allow: Collection[str]) -> str:
    """The argument of an OscBridge, from the options `--osc-port`, `--osc-out`, `--osc-host` and `--osc-allow`."""
    return urlencode({"port": port, "out": out, "host": host, "allow": list(allow)}, doseq=True)


def probe() -> Available:
    """OSC needs nothing but a socket."""
    return Available("UDP; --osc-port, --osc-out, --osc-host and --osc-allow set the first one")


class OscBridge:
    """Open Sound Control over UDP, in and out.

    Args:
        argument: `port=9123&out=9124&host=127.0.0.1&allow=192.168.1.20`, each optional; `allow` may be repeated. port:
            where to listen (0: any). out: port of this machine that is told of everything (0: none). host: address to
            listen at. allow: other machines or networks that may send.

    Raises:
        SonoramaError: an unknown word, a value that is none, or one port for both directions.

    """

    def __init__(self, argument: str) -> None:
        words: dict[str, list[str]] = {}
        for name, value in parse_qsl(argument, keep_blank_values=True):
            words.setdefault(name, []).append(value)
        if unknown := set(words) - {"port", "out", "host", "allow"}:
            raise SonoramaError(f"The bridge osc knows no {min(unknown)}", "Use port, out, host and allow.")
        self._port, self._out = (_number(words, "port", PORT), _number(words, "out", PORT_OUT))
        self._host, self._allow = words.get("host", ["127.0.0.1"])[-1], words.get("allow", [])
        for one in self._allow:
            network(one)
        if self._out and self._out == self._port:
            message = f"OSC cannot be sent to port {self._out}, where it is received"
            raise SonoramaError(message, "Give --osc-out another port, or 0 for none.")
        self._server: OscServer | None = None
        self._own_faults = Faults()

    @property
    def facts(self) -> Mapping[str, Value]:
        """osc_port: where it listens. osc_received: datagrams so far."""
        if self._server is None:
            return {}
        return {"osc_port": self._server.port, "osc_received": self._server.counters["received"]}

    def start(self, port: BridgePort) -> None:
        """Open the port, or the next free one.

        Raises:
            SonoramaError: no free port among 20, or no such address on this machine.

        """
        subscribers = [("127.0.0.1", self._out)] if self._out else []
        server = OscServer(
            port.table, port.post, port.post, self._port, self._host, allow=self._allow, subscribers=subscribers,
            accept=partial(accept_address, port.table), values=port.values,
        )  # fmt: skip
        server.start()
        self._server = server
        if line := busy_port("OSC", self._port, server.port, "osc_port"):
            self._own_faults.note("port", line)
        if line := unreachable(self._host, self._allow, ("--osc-host", "--osc-allow")):
            self._own_faults.note("allow", line)
        port.subscribe(self._changed)
        port.subscribe_meters(server.send_values)

    def _changed(self, changes: Iterable[Change]) -> None:
        if self._server is not None:
            self._server.publish(changes)

    def faults(self) -> list[str]:
        """What went wrong lately, one line a kind."""
        return [*self._own_faults.recent(), *(self._server.faults() if self._server else ())]

    def stop(self) -> None:
        """Close the sockets."""
        if self._server is not None:
            self._server.close()


def accept_address(table: Mapping[str, Parameter], path: str, value: object, source: str) -> Change:
    """A valid change; an address that names a class stays as it is until the show finds the slot. ValueRefused."""
    param = parameter_of(path, table)
    change = valid_change(table, path if param is None else param.path, value, source, installed_names)
    return Change(path, change.value, change.source)


def installed_names() -> set[str]:
    """Names by which messages may choose a world."""
    return plain_names(Path(card.path).stem for card in list_worlds())


def _number(words: Mapping[str, list[str]], name: str, default: int) -> int:
    text = words.get(name, [str(default)])[-1]
    number = whole_number(text, 0, 65_535)
    if number is None:
        raise SonoramaError(f"The bridge osc: {name}={text} is no port", "Use 0 to 65535.")
    return number
