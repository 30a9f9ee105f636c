"""`--bridge lines:PORT`: remote control by lines of text over TCP, such as `/look/seed 7`, for scripts and `nc`."""

import json
import socketserver
import threading

from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.errors import SonoramaError
from sonorama.engine.plugins.interfaces import BridgePort


class LinesBridge:
    """Takes `ADDRESS VALUE` (the value as JSON, so text stands in quotes) and answers `ok`, or what is wrong.

    An ADDRESS alone is answered with its value, `null` where there is none of that name.
    """

    def __init__(self, argument: str) -> None:
        if not argument.isdecimal():
            raise SonoramaError("The bridge lines needs a TCP port", "Say: --bridge lines:9200 (0 takes any)")
        self._wanted, self._server = int(argument), None
        self.facts: dict[str, Value] = {}

    def start(self, port: BridgePort) -> None:
        """Listen on this machine only; whoever may send here can play the show."""

        class Connection(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    self.wfile.write(answer(port, line.decode("utf-8", "replace")).encode() + b"\n")

        try:
            self._server = socketserver.ThreadingTCPServer(("127.0.0.1", self._wanted), Connection)
        except OSError as error:
            raise SonoramaError(f"Port {self._wanted} is taken: {error.strerror}", "Choose another one.") from error
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="lines", daemon=True).start()
        self.facts = {"lines_port": self._server.server_address[1], "lines_last": ""}
        port.subscribe(lambda changes: self.facts.update(lines_last=[one.path for one in changes][-1]))

    def faults(self) -> list[str]:
        """None ever: what is wrong with a line is answered to its sender."""
        return []

    def stop(self) -> None:
        """Close the port."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def answer(port: BridgePort, line: str) -> str:
    """Act on one line; returns what its sender is told."""
    address, _, text = line.strip().partition(" ")
    if not text:
        return json.dumps(port.values.get(address))
    try:
        port.post(Change(address, json.loads(text), "lines"))
    except json.JSONDecodeError:
        return f"{text[:40]} is no JSON value"
    except SonoramaError as error:
        return f"{error.message}. {error.hint}"
    return "ok"
