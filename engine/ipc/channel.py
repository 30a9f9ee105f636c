"""Connections between the processes of a show: lines of JSON over a local socket, opened with a token.

The show listens and writes a session file that only this user can read; renderer and panels find it by the show's
name, so a panel that went away can come back. Nothing that arrives is executed. A line that is no JSON object, or a
first line without the token, ends that connection and nothing else. The messages: messages.py and docs/channel.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import socket
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import SonoramaError
from .message_codec import decode, encode
from .messages import Join, Message
from .shared_paths import (
    UnsafePath,
    check_name,
    other_user,
    process_lives,
    process_started,
    read_private,
    runtime_folder,
    shared_path,
    write_private,
)

LARGEST, TRUSTED = 1 << 20, 1 << 28
"""Longest message in bytes; and between a show and its own renderer, where a second of a flood of changes must pass."""
UNKNOWN, WELCOMED = 16, 64
"""How many connections without a valid first message may wait, and how many new ones are accepted at a time."""
BACKLOG = 4 << 20
"""Bytes that may wait for a slow reader; then the connection ends."""


class ChannelClosed(SonoramaError):
    """The other side is gone."""


def session_file(name: str) -> Path:
    """Where the show `name` says how to reach it."""
    return runtime_folder() / f"{check_name(name)}.json"


def read_session(name: str) -> dict[str, Any]:
    """What a running show says about itself: port, token, pid, started, osc_port ...

    Raises:
        SonoramaError: no such show is running.

    """
    if (session := _session(session_file(name))) is None:
        raise _missing(name)
    return session


def running_shows() -> list[str]:
    """Names of this user's shows that run."""
    return [path.stem for path in sorted(runtime_folder().glob("*.json")) if _session(path) is not None]


def busy_port(what: str, asked: int, used: int, fact: str) -> str:
    """The line that says that another port is used than was asked for, and which show of this user has that one; empty
    if it is the one, or any was.

    Args:
        what: is received there, such as OSC.
        asked: the port that was asked for; 0 for any.
        used: the port in use.
        fact: name under which a show says its port, such as `osc_port`.

    """
    if asked in (0, used):
        return ""
    sessions = {path.stem: _session(path) for path in sorted(runtime_folder().glob("*.json"))}
    owners = [name for name, session in sessions.items() if session is not None and session.get(fact) == asked]
    by = f"the show {owners[0]} has it" if owners else "another program has it"
    return f"Port {asked} is busy ({by}): {what} is received at port {used}"


def _session(path: Path) -> dict[str, Any] | None:
    try:
        session = json.loads(read_private(path))
    except (OSError, ValueError, UnsafePath):
        return None
    return session if isinstance(session, dict) and _lives(session) else None


def _missing(name: str) -> SonoramaError:
    if user := other_user(shared_path(name)):
        return SonoramaError(f"The show {name} is of another user ({user})", "Only that user can reach it.")
    there = ", ".join(running_shows())
    hint = f"These are: {there}" if there else f"Start it with: sonorama live --name {name}"
    return SonoramaError(f"No show called {name} is running", hint)


def _lives(session: Mapping[str, Any]) -> bool:
    try:
        return process_lives(int(session.get("pid", 0)), float(session.get("started", 0.0)))
    except (TypeError, ValueError, OverflowError):  # no session file of ours
        return False


def _owner(name: str) -> int:
    try:
        return int(read_session(name)["pid"])
    except SonoramaError:
        return 0


class Peer:
    """One end of a connection. `send` may be called from any thread, `receive` from one."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BACKLOG)
        self._socket.settimeout(2.0)
        self._lock = threading.Lock()
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(connection, selectors.EVENT_READ)
        self._rest = b""
        self.largest = LARGEST
        self._ready: deque[Message] = deque()
        self.skipped = 0
        """Messages of an unknown type, or without what they must have."""
        self.open = True

    def fileno(self) -> int:
        """For selectors and QSocketNotifier."""
        return self._socket.fileno()

    def patience(self, seconds: float) -> None:
        """How long `send` waits for a slow reader; two seconds by default."""
        self._socket.settimeout(seconds)

    def send(self, message: Message) -> None:
        """Send a message.

        Raises:
            ChannelClosed: the other side is gone, or has not read for longer than `patience` allows. What it sent
                before can still be received.

        """
        line = encode(message)
        try:
            with self._lock:
                self._socket.sendall(line)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)
            raise _gone() from error

    def receive(self, timeout: float | None = 0.0) -> Message | None:
        """The next message; None when none came within `timeout` seconds (None: wait for ever).

        Raises:
            ChannelClosed: the other side is gone, or sent a line that is no JSON object or too long.

        """
        while not self._ready:
            if not self.open:
                raise _gone()
            try:
                if not self._waiting.select(timeout):
                    return None
                self._take(self._socket.recv(1 << 16))
            except (OSError, ValueError, RecursionError) as error:
                self.close()
                raise _gone() from error
        return self._ready.popleft()

    def _take(self, data: bytes) -> None:
        if not data:
            raise ConnectionResetError
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if (message := decode(line)) is None:
                self.skipped += 1
            else:
                self._ready.append(message)
        if len(self._rest) > self.largest:
            raise ValueError("too long")

    def close(self) -> None:
        """Hang up; may be called twice."""
        self.open = False
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._waiting.close()
        self._socket.close()


def _gone() -> ChannelClosed:
    return ChannelClosed("The other side of the show is gone", "It may come back: sonorama panel")


def connect(name: str, role: str) -> Peer:
    """Reach the show `name` as `panel` or `renderer`.

    Raises:
        SonoramaError: no such show, or it does not answer.

    """
    session = read_session(name)
    return connect_to(int(session["port"]), str(session["token"]), role)


def connect_to(port: int, token: str, role: str) -> Peer:
    """As `connect`, by port and token."""
    try:
        connection = socket.create_connection(("127.0.0.1", port), timeout=5.0)
    except OSError as error:
        raise SonoramaError("The show does not answer", "Start it again: sonorama live") from error
    peer = Peer(connection)
    peer.send(Join(role, token))
    return peer


class Server:
    """The show's end. `accept` and `close` belong to one thread."""

    def __init__(self) -> None:
        self.token = secrets.token_hex(16)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._unknown: list[Peer] = []
        self._session: Path | None = None

    def announce(self, name: str, facts: Mapping[str, Any]) -> None:
        """Write the session file.

        Raises:
            SonoramaError: a show of that name is running already, or the file cannot be written.

        """
        path = session_file(name)
        pid = _owner(name)
        if pid not in (0, os.getpid()):
            hint = "Give this one another name with --name, or end that one."
            raise SonoramaError(f"A show called {name} is already running (process {pid})", hint)
        own = {"pid": os.getpid(), "started": process_started(os.getpid())}
        content = {"port": self.port, "token": self.token, **own, "name": name, **facts}
        try:
            write_private(path, json.dumps(content).encode())
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror or error}"
            raise SonoramaError(message, "Set XDG_RUNTIME_DIR to a folder of yours with room.") from error
        self._session = path

    def accept(self) -> list[tuple[str, Peer]]:
        """Those who have joined since the last call, with their role. Never waits."""
        with contextlib.suppress(OSError):
            for _ in range(WELCOMED):
                self._unknown.append(Peer(self._listener.accept()[0]))
        joined = [(role, peer) for peer in self._unknown if (role := self._role(peer))]
        unknown = [peer for peer in self._unknown if peer.open and all(peer is not p for _, p in joined)]
        for stranger in unknown[:-UNKNOWN]:  # whoever belongs here says so at once
            stranger.close()
        self._unknown = unknown[-UNKNOWN:]
        return joined

    def _role(self, peer: Peer) -> str:
        try:
            message = peer.receive(0.0)
        except ChannelClosed:
            return ""
        if message is None and not peer.skipped:
            return ""
        token = message.token if isinstance(message, Join) else ""
        if not isinstance(message, Join) or not secrets.compare_digest(token.encode(), self.token.encode()):
            peer.close()
            return ""
        return message.role or "panel"

    def close(self) -> None:
        """Stop listening and take the session file away."""
        self._listener.close()
        for peer in self._unknown:
            peer.close()
        if self._session is not None:
            self._session.unlink(missing_ok=True)
