"""The show's ear for OSC: one socket, guarded, that no packet and no flood can stop.

receiver thread   waits for datagrams, guards them and queues them; acts on blackout, freeze and panic itself
worker thread     parses, routes, hands changes on, keeps the time of bundles and of feedback; looks into the
                  socket every few datagrams, so that neither thread has to wait for the other's turn
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
from ..errors import SonoramaError
from .counters import OscCounters, quoted
from .messages import Message, Schedule, Sender, parse
from .routing import ROOT, Accepted, Router
from .sockets import BUFFER, Intake, address_of, is_local, network, open_port, widen
from .subscriptions import Subscriptions
from .validation import clean

PORT, PORT_OUT = 9123, 9124
FAST = (OUT_BLACKOUT, OUT_FREEZE, OUT_PANIC)
"""Controls that overtake everything that waits."""
SUBSCRIBE, UNSUBSCRIBE, DUMP = f"{ROOT}/subscribe", f"{ROOT}/unsubscribe", f"{ROOT}/dump"

_QUEUE, _QUEUE_BYTES, _TURN, _GUARDED = 65_536, 64 << 20, 16, 64
# A receiver of changes that is broken costs its change, never the server.
_BROKEN = (SonoramaError, ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)
_URGENT = tuple(path.encode() for path in FAST)


class OscServer:
    """OSC in and out over UDP (IPv4).

    Args:
        table: every control.
        post: takes a valid change, in the worker thread. It may be slow; what comes meanwhile is queued.
        fast: takes changes of FAST instead of `post`, mostly in the receiver thread. It must not wait.
        port: where to listen; a busy one moves on to the next free, 0 is any.
        host: address of this machine to listen at. 127.0.0.1 hears this machine only, 0.0.0.0 all its networks.
        allow: addresses or networks (`192.168.1.20`, `192.168.1.0/24`) of other machines that may speak to us.
        subscribers: who is told of changes and meters from the start: (host, port).
        accept: makes valid changes of what arrives; by default of the table, with no world installed. Any thread.
        buffer: bytes asked for as the socket's receive buffer.

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
    ) -> None:
        self._post, self._fast = post, fast
        self._host, self._asked_port, self._asked_buffer = host, port, buffer
        self.port = 0
        """The port it really listens at; 0 before `start`."""
        self.buffer = 0
        """Bytes of the receive buffer as the system counts them (Linux: twice what was asked, or twice its limit)."""
        self._allowed = [network(text) for text in ("127.0.0.0/8", *allow)]
        self._verdicts: dict[str, bool] = {}
        self._tally = OscCounters()
        self._routes = Router(table, self._tally, accept)
        fixed = [(address_of(name), number) for name, number in subscribers]
        self._taken = {PORT_OUT, *(one[1] for one in fixed)}
        self._feedback = Subscriptions(table, self._send, fixed)
        self._schedule = Schedule()
        self._queue: deque[tuple[bytes | list[Message], int, Sender]] = deque()
        self._bytes_in = self._bytes_out = 0
        self._work, self._closed, self._draining = threading.Event(), threading.Event(), threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Open the port and listen.

        Raises:
            SonoramaError: no free port among 20, or no such address on this machine.

        """
        self._socket = open_port(self._host, self._asked_port, self._taken)
        self.port = self._socket.getsockname()[1]
        self.buffer = widen(self._socket, self._asked_buffer)
        self._intake = Intake(self._socket)
        self._out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # bound to no address: it reaches every network
        self._out.setblocking(False)
        self._waker, self._wakened = socket.socketpair()
        self._threads = [
            threading.Thread(target=self._receive, name="osc receiver", daemon=True),
            threading.Thread(target=self._act, name="osc worker", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop; may be called twice."""
        if self._closed.is_set() or not self._threads:
            return
        self._closed.set()
        self._work.set()
        self._waker.send(b"x")
        for thread in self._threads:
            thread.join(2.0)
        for one in (self._socket, self._out, self._waker, self._wakened):
            one.close()

    def __enter__(self) -> OscServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def publish(self, changes: Iterable[Change]) -> None:
        """Tell subscribers what was applied, whoever asked for it. Any thread, never waits."""
        self._feedback.publish(changes)
        self._work.set()

    def send_values(self, values: Mapping[str, Value]) -> None:
        """Send meters and words to subscribers: address to value. Any thread, never waits."""
        self._feedback.send_values(values)

    @property
    def counters(self) -> dict[str, int]:
        """What came and what became of it: see osc_tally.NAMES."""
        return self._tally.counts

    @property
    def subscribers(self) -> list[Sender]:
        """Host and port of everyone who is told of changes."""
        return self._feedback.subscribers

    def faults(self) -> list[str]:
        """What went wrong lately, one line a kind."""
        return self._tally.faults()

    def _receive(self) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._socket, selectors.EVENT_READ)
            waiting.register(self._wakened, selectors.EVENT_READ)
            while not self._closed.is_set():
                waiting.select()
                while self._drain() and not self._closed.is_set():
                    pass

    def _drain(self) -> bool:
        """Empty the socket, then guard a few of the datagrams; whether more are here. Both threads may."""
        if not self._draining.acquire(timeout=0.005):
            return True  # a flood: the other thread is at it
        try:
            more = self._intake.fill()
            for datagram, sender in self._intake.take(_GUARDED):
                self._take(datagram, sender)
        finally:
            self._draining.release()
        if self._queue:
            self._work.set()
        return more

    def _take(self, datagram: bytes, sender: Sender) -> None:
        self._tally.count("received")
        if not self._may_speak(sender[0]):
            self._tally.count("refused", f"OSC: {sender[0]} is not among those who may send")
            return
        guarded = clean(datagram)
        if guarded is None:
            self._malformed(sender)
        elif b"/out/" in guarded and any(path in guarded for path in _URGENT):
            self._take_urgent(guarded, sender)
        else:
            self._enqueue(guarded, len(guarded), sender)

    def _take_urgent(self, datagram: bytes, sender: Sender) -> None:
        rest = list[Message]()
        messages = parse(datagram)
        if messages is None:
            self._malformed(sender)
        for message in messages or ():
            if message.address.removeprefix(ROOT) in FAST and not self._schedule.is_future(message):
                self._message(message, sender)
            else:
                rest.append(message)
        if rest:
            self._enqueue(rest, len(datagram), sender)

    def _enqueue(self, item: bytes | list[Message], size: int, sender: Sender) -> None:
        if len(self._queue) >= _QUEUE or self._bytes_in - self._bytes_out > _QUEUE_BYTES:
            self._tally.count("dropped", "OSC: more came than could be read; some of it was dropped")
            return
        self._bytes_in += size
        self._queue.append((item, size, sender))

    def _malformed(self, sender: Sender) -> None:
        self._tally.count("malformed", f"OSC: a packet from {sender[0]} was malformed")

    def _may_speak(self, host: str) -> bool:
        verdict = self._verdicts.get(host)
        if verdict is None:
            verdict = any(ipaddress.ip_address(host) in network for network in self._allowed)
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
        """A few datagrams and whatever is due; whether more wait."""
        for _ in range(min(_TURN, len(self._queue))):
            item, size, sender = self._queue.popleft()
            messages = item if isinstance(item, list) else parse(item)
            self._bytes_out += size
            if messages is None:
                self._malformed(sender)
            for message in messages or ():
                self._now_or_later(message, sender)
        for message, sender in self._schedule.due():
            self._message(message, sender)
        self._feedback.flush()
        return self._drain() or bool(self._queue)

    def _now_or_later(self, message: Message, sender: Sender) -> None:
        if not self._schedule.is_future(message):
            self._message(message, sender)
        elif self._schedule.add(message, sender):
            self._tally.count("scheduled")
        else:
            self._tally.count("dropped", "OSC: too many bundles wait for their time; some were dropped")

    def _message(self, message: Message, sender: Sender) -> None:
        if message.address in (SUBSCRIBE, UNSUBSCRIBE, DUMP):
            self._command(message.address, message.arguments, sender)
            return
        for accepted in self._routes.changes(message.address, message.arguments, sender):
            self._hand_on(accepted, sender)

    def _hand_on(self, accepted: Accepted, sender: Sender) -> None:
        change = accepted.change
        self._feedback.touched(accepted, sender)
        try:
            (self._fast if change.path in FAST else self._post)(change)
        except _BROKEN as error:
            self._tally.count("failed", f"OSC: {change.path} could not be set: {quoted(str(error))}")
        else:
            self._tally.count("applied")

    def _command(self, address: str, arguments: Sequence[Any], sender: Sender) -> None:
        numbers = [one for one in arguments if isinstance(one, int | float) and 0 <= one < 1e9]
        port = round(numbers[0]) if numbers else None
        if len(numbers) < len(arguments) or (port is not None and not self._may_tell(sender[0], port)):
            self._tally.count("wrong_type", f"OSC from {sender[0]}: {address} takes a port, 1024 to 65535, not ours")
        elif address == DUMP:
            self._feedback.dump(sender, port, PORT_OUT)
        elif address == UNSUBSCRIBE:
            self._feedback.unsubscribe(sender, port)
        else:
            self._feedback.subscribe(sender, port or PORT_OUT, numbers[1] if len(numbers) > 1 else 0.0)

    def _may_tell(self, host: str, port: int) -> bool:
        """No service of the system, and not ourselves."""
        return 1024 <= port <= 65_535 and not self._is_us(host, port)

    def _is_us(self, host: str, port: int) -> bool:
        """Whether what we tell there would come back as an order."""
        return port == self.port and is_local(host)

    def _send(self, datagram: bytes, target: Sender) -> None:
        try:
            sent = not self._is_us(*target) and self._out.sendto(datagram, target)
        except OSError:
            sent = 0
        if not sent:
            self._tally.count("unsent", f"OSC: nothing could be sent to {target[0]}:{target[1]}")
