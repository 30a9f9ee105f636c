"""OSC output: changes and meters to subscribers, and all values on request.

To avoid feedback to a fader that is being moved, a subscriber gets no messages for an address for 50 ms after it
changed that address, and then only values that differ from what it sent. Senders are matched to subscribers by their
ports; if that is not possible, the 50 ms apply to all subscribers of the host.
"""

from __future__ import annotations

import math
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..control.parameters import Change, Parameter, Value
from .messages import Sender
from .routing import NORM, ROOT, Accepted

QUIET, REMEMBERED, SUBSCRIBERS, LARGEST = 0.05, 2.0, 16, 1400
"""Seconds without feedback, seconds for which a sender is remembered, maximum subscribers by message, and maximum bytes
of an outgoing bundle."""
_OF_SOUND = (
    "level", "bass", "mid", "high", "onset", "beat", "bpm", "confidence", "kick", "snare", "hat", "build", "drop",
    "bar", "phrase",
)  # fmt: skip
METERS = (
    *(f"{ROOT}/sound/{name}" for name in _OF_SOUND),
    *(f"{ROOT}/engine/{name}" for name in ("fps", "late", "latency")),
    f"{ROOT}/health",
)
"""Output-only numbers. A parameter of the same address is sent to subscribers only at its 0..1 address."""

_BUNDLE = b"#bundle\x00" + struct.pack(">Q", 1)  # time tag for "immediately"


def _padded(raw: bytes) -> bytes:
    return raw + b"\x00" * (4 - len(raw) % 4)


def encode(address: str, value: Value) -> bytes:
    """Encode a message with one argument: type `i` for integers and switches (`h` beyond 32 bits), `f`, or `s`."""
    head = _padded(address.encode())
    if isinstance(value, str):
        return head + b",s\x00\x00" + _padded(value.replace("\x00", "").encode(errors="replace"))
    if isinstance(value, float):
        return head + b",f\x00\x00" + struct.pack(">f", min(max(value, -3.4e38), 3.4e38))
    if -(2**31) <= value < 2**31:
        return head + b",i\x00\x00" + struct.pack(">i", value)
    return head + b",h\x00\x00" + struct.pack(">q", min(max(value, -(2**63)), 2**63 - 1))


def pack(messages: Sequence[bytes]) -> Iterator[bytes]:
    """Pack messages into datagrams: a single one as it is, several in bundles of at most LARGEST bytes if they fit."""
    if len(messages) == 1:
        yield messages[0]
        return
    bundle = _BUNDLE
    for message in messages:
        part = struct.pack(">i", len(message)) + message
        if len(bundle) > len(_BUNDLE) and len(bundle) + len(part) > LARGEST:
            yield bundle
            bundle = _BUNDLE
        bundle += part
    if len(bundle) > len(_BUNDLE):
        yield bundle


@dataclass(slots=True)
class Subscriber:
    """A receiver of feedback. `ports`: ports it is known to send from; `until`: end of its subscription, 0 = never."""

    target: Sender
    fixed: bool
    ports: set[int]
    until: float = 0.0
    held: dict[str, float] = field(default_factory=dict[str, float])


class Subscriptions:
    """Sends feedback to subscribers. Thread-safe.

    Args:
        table: all parameters.
        send: sends a datagram; must not block or raise.
        fixed: permanent subscribers.
        clock: monotonic clock in seconds.
        values: of parameters at the start; the others begin at their defaults.

    """

    def __init__(
        self,
        table: Mapping[str, Parameter],
        send: Callable[[bytes, Sender], None],
        fixed: Iterable[Sender] = (),
        clock: Callable[[], float] = time.monotonic,
        values: Mapping[str, Value] | None = None,
    ) -> None:
        self._table, self._send, self._clock = table, send, clock
        begun = values or {}
        self._values: dict[str, Value] = {
            path: begun.get(path, param.default) for path, param in table.items() if not param.event
        }
        self._subscribers = {target: Subscriber(target, True, {target[1]}) for target in fixed}
        self._touches: dict[str, dict[Sender, tuple[float, Any]]] = {}
        self._lock = threading.Lock()

    @property
    def subscribers(self) -> list[Sender]:
        """Host and port of all subscribers."""
        with self._lock:
            return list(self._subscribers)

    def subscribe(self, sender: Sender, port: int, seconds: float = 0.0) -> None:
        """Subscribe `port` on the sender's host for `seconds` (0 = always). A 17th subscriber replaces the oldest."""
        target = (sender[0], port)
        with self._lock:
            known = self._subscribers.get(target)
            fixed = known is not None and known.fixed
            until = self._clock() + seconds if seconds > 0 and not fixed else 0.0
            self._subscribers.pop(target, None)
            self._subscribers[target] = Subscriber(target, fixed, {port, sender[1]}, until)
            extra = [target for target, one in self._subscribers.items() if not one.fixed][:-SUBSCRIBERS]
            for one in extra:
                del self._subscribers[one]

    def unsubscribe(self, sender: Sender, port: int | None) -> None:
        """Unsubscribe a port of the sender's host; None: the sender's subscription, else all of its host."""
        with self._lock:
            mine = [one for one in self._subscribers.values() if one.target[0] == sender[0]]
            own = [one for one in mine if sender[1] in one.ports] or mine
            for one in own if port is None else [one for one in mine if one.target[1] == port]:
                del self._subscribers[one.target]

    def touched(self, accepted: Accepted, sender: Sender) -> None:
        """Record that a sender has just changed an address."""
        with self._lock:
            now = self._clock()
            touches = self._touches.setdefault(accepted.change.path, {})
            touches.pop(sender, None)
            touches[sender] = (now, accepted.asked)
            if len(touches) > SUBSCRIBERS:
                del touches[next(iter(touches))]

    def publish(self, changes: Iterable[Change]) -> None:
        """Send applied changes to all subscribers except the one that is changing that parameter now."""
        with self._lock:
            fresh = {change.path: change.value for change in changes if change.path in self._values}
            self._values.update(fresh)
            for one in self._subscribers.values():
                one.held.update(dict.fromkeys(fresh, 0.0))
        self.flush()

    def flush(self) -> None:
        """Send changes whose 50 ms are over, and remove subscriptions that have ended."""
        with self._lock:
            now = self._clock()
            for one in list(self._subscribers.values()):
                if 0.0 < one.until <= now:
                    del self._subscribers[one.target]
                else:
                    self._tell(one, [path for path in one.held if self._is_ripe(one, path, now)])

    def wait(self) -> float:
        """Seconds until `flush` must be called; infinite if nothing is waiting."""
        with self._lock:
            due = [due for one in self._subscribers.values() for due in one.held.values()]
            due += [one.until for one in self._subscribers.values() if one.until]
            return max(0.0, min(due) - self._clock()) if due else float("inf")

    def send_values(self, values: Mapping[str, Value]) -> None:
        """Send numbers or texts to all subscribers; `values` maps addresses, with or without /sonorama, to values.

        Numbers that are not finite are omitted.
        """
        messages = [
            encode(address if address.startswith(ROOT + "/") else ROOT + address, value)
            for address, value in values.items()
            if isinstance(value, str) or math.isfinite(value)
        ]
        with self._lock:
            targets = list(self._subscribers)
        self._post(messages, targets)

    def dump(self, sender: Sender, port: int | None, default: int) -> None:
        """Send all values to `port` on the sender's host; None: to the host's subscribed ports, else to `default`."""
        with self._lock:
            messages = [message for path in self._values for message in self._messages(path)]
            subscribed = [target for target in self._subscribers if target[0] == sender[0]]
        self._post(messages, [(sender[0], port)] if port else subscribed or [(sender[0], default)])

    def _post(self, messages: Sequence[bytes], targets: Iterable[Sender]) -> None:
        datagrams = list(pack(messages))
        for target in targets:
            for datagram in datagrams:
                self._send(datagram, target)

    def _messages(self, path: str) -> Iterator[bytes]:
        value, param = self._values[path], self._table[path]
        if ROOT + path not in METERS:
            yield encode(ROOT + path, value)
        if param.kind == "float":
            yield encode(ROOT + path + NORM, float(param.to_norm(float(value))))

    def _tell(self, one: Subscriber, paths: Sequence[str]) -> None:
        for path in paths:
            del one.held[path]
        news = [path for path in paths if not self._knows(one, path)]
        self._post([message for path in news for message in self._messages(path)], [one.target])
        for path in news:  # the value that it sent is no longer the current one
            touches = self._touches.get(path, {})
            touches.update({sender: (touches[sender][0], None) for sender in touches if self._is(one, sender)})

    def _is_ripe(self, one: Subscriber, path: str, now: float) -> bool:
        """Whether the subscriber may get the change now; if not, record when it may."""
        touches = self._touches.get(path, {})
        for sender in [sender for sender, (at, _) in touches.items() if now - at > REMEMBERED]:
            del touches[sender]
        latest = max((at for sender, (at, _) in touches.items() if self._may_be(one, sender)), default=-math.inf)
        one.held[path] = latest + QUIET
        return latest + QUIET <= now

    def _may_be(self, one: Subscriber, sender: Sender) -> bool:
        if sender[0] != one.target[0]:
            return False
        known = [other for other in self._subscribers.values() if other.target[0] == sender[0]]
        return sender[1] in one.ports or not any(sender[1] in other.ports for other in known)

    def _knows(self, one: Subscriber, path: str) -> bool:
        """Whether the subscriber itself sent exactly this value last."""
        own = [asked for sender, asked in self._touches.get(path, {}).items() if self._is(one, sender)]
        return bool(own) and max(own, key=lambda touch: touch[0])[1] == self._values[path]

    def _is(self, one: Subscriber, sender: Sender) -> bool:
        return sender[0] == one.target[0] and sender[1] in one.ports
