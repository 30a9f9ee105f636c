"""Connections that are open and ask for nothing: the show keeps its files, and others get in."""

import http.client
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sonorama.engine.plugins.registry import BRIDGES, make
from sonorama.plugin.bridges.query import connections, server

from ...speed import slowness
from ..show import Show

HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
WHOLE = b"GET /sonorama/look/drift HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture
def port() -> Iterator[Callable[[], int]]:
    bridges = []

    def start() -> int:
        bridge = make(BRIDGES, "query", "port=0")
        bridges.append(bridge)
        bridge.start(Show())
        return int(bridge.facts["query_port"])

    yield start
    for bridge in bridges:
        bridge.stop()


def is_closed(line: socket.socket) -> bool:
    """Whether the other side has ended it; waits for that."""
    line.settimeout(20 * slowness())
    try:
        while line.recv(65_536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def open_files() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


def ask(port: int) -> int:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20 * slowness())
    line.request("GET", "/sonorama/look/drift")
    status = line.getresponse().status
    line.close()
    return status


@pytest.mark.parametrize("said", [b"", HALF, WHOLE + HALF], ids=["nothing", "half", "whole and half"])
def test_who_asks_for_nothing_is_dropped(port: Callable[[], int], monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    monkeypatch.setattr(connections, "PATIENCE_S", 0.3)
    monkeypatch.setattr(server, "KEPT_S", 0.3)
    line = socket.create_connection(("127.0.0.1", port()))
    line.sendall(said)
    assert is_closed(line)
    line.close()


def test_there_is_room_for_whoever_asks(port: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST", 20)
    at, before = port(), open_files()
    lines = [socket.create_connection(("127.0.0.1", at)) for _ in range(60)]
    for line in lines[::2]:
        line.sendall(HALF)
    assert ask(at) == 200
    end = time.monotonic() + 20 * slowness()
    while open_files() - before > 60 + 20:
        assert time.monotonic() < end, "connections are kept"
        time.sleep(0.01)
    for line in lines:
        line.close()
