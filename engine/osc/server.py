"""The OSC server of a show: one UDP socket for input, and feedback to subscribers. Robust against any packets.

receiver thread   waits for datagrams, validates and queues them; applies blackout, freeze and panic itself
worker thread     parses, routes and passes on changes, runs timed bundles and feedback; also reads the socket every
                  few datagrams, so that it does not fill while the receiver waits for the interpreter lock
"""

from __future__ import annotations

import ipaddress
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from ..control.accept import Accept
from ..control.addresses import OUT_BLACKOUT, OUT_FREEZE, OUT_PANIC
from ..control.parameters import Change, Parameter, Value
from ..errors import SonoramaError, one_line, one_line_error
from .counters import OscCounters, quoted
from .messages import Message, Schedule, Sender, parse
from .routing import ROOT, Accepted, Router
from .sockets import BUFFER, Intake, address_of, family_of, is_local, network, open_port, open_senders, widen
from .subscriptions import Subscriptions
from .validation import RawMessage, Refusal, unpack

PORT, PORT_OUT = 9123, 9124
FAST = (OUT_BLACKOUT, OUT_FREEZE, OUT_PANIC)
"""Parameters whose changes overtake all queued messages."""
SUBSCRIBE, UNSUBSCRIBE, DUMP = f"{ROOT}/subscribe", f"{ROOT}/unsubscribe", f"{ROOT}/dump"

_QUEUE, _QUEUE_BYTES, _TURN, _BATCH = 65_536, 64 << 20, 16, 64
_OVERHEAD = 128
"""Bytes that a message in the queue takes besides its data."""
# Errors of a callback that lose one change and do not stop the server.
_BROKEN = (SonoramaError, ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)
_URGENT = tuple(path.encode() for path in FAST)


def _has_urgent(datagram: bytes) -> bool:
    return b"/out/" in datagram and any(path in datagram for path in _URGENT)


def _comes_first(datagram: bytes) -> bool:
    """Whether a datagram may overtake those that came before it: a single message, since a bundle may hold others."""
    return datagram.startswith(b"/") and _has_urgent(datagram)


class OscServer:
    """OSC in and out over UDP (IPv4 and IPv6).

    Args:
        table: all parameters.
        post: called with each valid change, in the worker thread. It may be slow; messages queue up meanwhile.
        fast: called instead of `post` for parameters in FAST, usually in the receiver thread. It must not block.
        port: UDP port to receive on; if it is busy, the next free one is used; 0 is any.
        host: address of this machine to receive on: 127.0.0.1 or ::1 for this machine only, 0.0.0.0 for all IPv4
            networks, :: for all of both kinds.
        allow: addresses or networks (`192.168.1.20`, `192.168.1.0/24`) of other machines whose packets are accepted.
        subscribers: permanent subscribers to changes and meters: (host, port).
        accept: turns values into valid changes, in any thread; the default uses the table, with no world installed.
        buffer: bytes asked for as the socket's receive buffer.
        values: of parameters at the start, for feedback; the others begin at their defaults.

    """

    def __init__(
        self,
        table: Mapping[str, Parameter],
        post: Callable[[Change], None],
        fast: Callable[[Change], None],
        port: int = PORT,
        host: str = "127.0.0.1",
        *,
        allow: Collection[str] = (),
        subscribers: Iterable[Sender] = (("127.0.0.1", PORT_OUT),),
        accept: Accept | None = None,
        buffer: int = BUFFER,
        values: Mapping[str, Value] | None = None,
    ) -> None:
        self._post, self._fast = post, fast
        self._host, self._asked_port, self._asked_buffer = host, port, buffer
        self.port = 0
        """The port in use; 0 before `start`."""
        self.buffer = 0
        """Bytes of the receive buffer as the system counts them (Linux: twice the requested size or its limit)."""
        self._allowed = [network(text) for text in ("127.0.0.0/8", "::1", *allow)]
        self._verdicts: dict[str, bool] = {}
        self._counters = OscCounters()
        self._routes = Router(table, self._counters, accept)
        fixed = [(address_of(name), number) for name, number in subscribers]
        self._taken = {PORT_OUT, *(one[1] for one in fixed)}
        self._feedback = Subscriptions(table, self._send, fixed, values=values)
        self._schedule = Schedule()
        self._queue: deque[tuple[list[RawMessage], int, Sender]] = deque()
        self._bytes_in = self._bytes_out = 0
        self._work, self._closed, self._draining = threading.Event(), threading.Event(), threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Open the port and start both threads.

        Raises:
            SonoramaError: no free port among 20, or no such address on this machine.

        """
        self._socket = open_port(self._host, self._asked_port, self._taken)
        self.port = self._socket.getsockname()[1]
        self.buffer = widen(self._socket, self._asked_buffer)
        self._intake = Intake(self._socket, _comes_first)
        self._out = open_senders()
        self._wake_write, self._wake_read = socket.socketpair()
        self._threads = [
            threading.Thread(target=self._receive, name="osc receiver", daemon=True),
            threading.Thread(target=self._act, name="osc worker", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop the threads and close the sockets; may be called twice."""
        if self._closed.is_set() or not self._threads:
            return
        self._closed.set()
        self._work.set()
        self._wake_write.send(b"x")
        for thread in self._threads:
            thread.join(2.0)
        for one in (self._socket, *self._out.values(), self._wake_write, self._wake_read):
            one.close()

    def __enter__(self) -> OscServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def publish(self, changes: Iterable[Change]) -> None:
        """Send applied changes to subscribers. Thread-safe, never blocks."""
        self._feedback.publish(changes)
        self._work.set()

    def send_values(self, values: Mapping[str, Value]) -> None:
        """Send meters and texts to subscribers, as a mapping of address to value. Thread-safe, never blocks."""
        self._feedback.send_values(values)

    @property
    def counters(self) -> dict[str, int]:
        """Numbers of packets and changes by outcome; see counters.NAMES."""
        return self._counters.counts

    @property
    def subscribers(self) -> list[Sender]:
        """Host and port of all subscribers."""
        return self._feedback.subscribers

    def faults(self) -> list[str]:
        """Recent errors, one line for each kind."""
        return self._counters.faults()

    def _receive(self) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._socket, selectors.EVENT_READ)
            waiting.register(self._wake_read, selectors.EVENT_READ)
            while not self._closed.is_set():
                waiting.select()
                while self._drain() and not self._closed.is_set():
                    pass

    def _drain(self) -> bool:
        """Empty the socket, then validate some datagrams. Called by both threads; returns whether more are waiting."""
        if not self._draining.acquire(timeout=0.005):
            return True  # the other thread is draining
        try:
            more = self._intake.fill()
            for datagram, sender in self._intake.take(_BATCH):
                self._take(datagram, sender)
        finally:
            self._draining.release()
        if self._queue:
            self._work.set()
        return more

    def _take(self, datagram: bytes, sender: Sender) -> None:
        self._counters.count("received")
        if not self._is_allowed(sender[0]):
            self._counters.count("refused", f"OSC: {sender[0]} is not allowed to send (see --osc-allow)")
            return
        messages, refused = unpack(datagram)
        for one in refused:
            self._malformed(one, sender)
        if _has_urgent(datagram):
            messages = [one for one in messages if not self._take_urgent(one, sender)]
        if messages:
            self._enqueue(messages, len(datagram) + _OVERHEAD * len(messages), sender)

    def _take_urgent(self, raw: RawMessage, sender: Sender) -> bool:
        """Apply a message if it is one of FAST, and due."""
        message = parse(raw) if any(path in raw.data for path in _URGENT) else None
        if message is None or message.address.removeprefix(ROOT) not in FAST or self._schedule.is_future(message):
            return False
        self._message(message, sender)
        return True

    def _enqueue(self, messages: list[RawMessage], size: int, sender: Sender) -> None:
        while len(self._queue) >= _QUEUE or self._bytes_in - self._bytes_out > _QUEUE_BYTES:
            self._counters.count("dropped", "OSC: the input queue is full; the oldest messages were dropped")
            try:
                self._bytes_in -= self._queue.popleft()[1]
            except IndexError:  # the worker has taken the last one
                break
        self._bytes_in += size
        self._queue.append((messages, size, sender))

    def _malformed(self, refused: Refusal, sender: Sender) -> None:
        what = f"{quoted(refused.address)} with type tags {quoted(refused.tags)}" if refused.address else "a packet"
        subject = f"{refused.address} {refused.tags}" if refused.address else refused.reason
        self._counters.count("malformed", f"OSC from {sender[0]}: {what} was refused: {refused.reason}", subject)

    def _is_allowed(self, host: str) -> bool:
        verdict = self._verdicts.get(host)
        if verdict is None:
            verdict = any(ipaddress.ip_address(host.partition("%")[0]) in network for network in self._allowed)
            if len(self._verdicts) < 4096:
                self._verdicts[host] = verdict
        return verdict

    def _act(self) -> None:
        while not self._closed.is_set():
            wait = min(self._schedule.wait(), self._feedback.wait(), 60.0)
            self._work.wait(wait)
            self._work.clear()
            while not self._closed.is_set() and self._turn():
                pass

    def _turn(self) -> bool:
        """Process a few datagrams and all due bundles; returns whether more are waiting."""
        done = 0
        while self._queue and done < _TURN:
            messages, size, sender = self._queue.popleft()
            done += len(messages)
            self._bytes_out += size
            for raw in messages:
                if (message := parse(raw)) is not None:
                    self._run_or_schedule(message, sender)
                else:
                    self._malformed(Refusal("", "", "it cannot be parsed"), sender)
        for message, sender in self._schedule.due():
            self._message(message, sender)
        self._feedback.flush()
        return self._drain() or bool(self._queue)

    def _run_or_schedule(self, message: Message, sender: Sender) -> None:
        if not self._schedule.is_future(message):
            self._message(message, sender)
        elif self._schedule.add(message, sender):
            self._counters.count("scheduled")
        else:
            self._counters.count("dropped", "OSC: too many bundles are scheduled; some were dropped")

    def _message(self, message: Message, sender: Sender) -> None:
        if message.address in (SUBSCRIBE, UNSUBSCRIBE, DUMP):
            self._command(message.address, message.arguments, sender)
            return
        for accepted in self._routes.changes(message.address, message.arguments, sender):
            self._pass_on(accepted, sender)

    def _pass_on(self, accepted: Accepted, sender: Sender) -> None:
        change = accepted.change
        self._feedback.touched(accepted, sender)
        try:
            (self._fast if change.path in FAST else self._post)(change)
        except _BROKEN as error:
            hint = f". {error.hint}" if isinstance(error, SonoramaError) else ""
            fault = f"OSC: {ROOT}{change.path} could not be set: {one_line(one_line_error(error))}{hint}"
            self._counters.count("failed", fault, change.path)
        else:
            self._counters.count("applied")

    def _command(self, address: str, arguments: Sequence[Any], sender: Sender) -> None:
        numbers = [one for one in arguments if isinstance(one, int | float) and 0 <= one < 1e9]
        port = round(numbers[0]) if numbers else None
        if len(numbers) < len(arguments) or (port is not None and not self._may_send_to(sender[0], port)):
            self._counters.count(
                "wrong_type",
                f"OSC from {sender[0]}: {address} takes a port (1024 to 65535, not our own), and seconds",
            )
        elif address == DUMP:
            self._feedback.dump(sender, port, PORT_OUT)
        elif address == UNSUBSCRIBE:
            self._feedback.unsubscribe(sender, port)
        else:
            self._feedback.subscribe(sender, port or PORT_OUT, numbers[1] if len(numbers) > 1 else 0.0)

    def _may_send_to(self, host: str, port: int) -> bool:
        """Whether feedback may be sent to a port: not below 1024, and not to this server."""
        return 1024 <= port <= 65_535 and not self._is_us(host, port)

    def _is_us(self, host: str, port: int) -> bool:
        """Whether a target is this server, which would take feedback for input."""
        return port == self.port and is_local(host)

    def _send(self, datagram: bytes, target: Sender) -> None:
        try:
            sent = not self._is_us(*target) and self._out[family_of(target[0])].sendto(datagram, target)
        except (KeyError, OSError):
            sent = 0
        if not sent:
            self._counters.count("unsent", f"OSC: sending to {target[0]}:{target[1]} failed")
