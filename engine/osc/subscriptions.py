"""What leaves by OSC: changes to subscribers, meters, and all values to whoever asks.

A fader that is being moved must not hear itself: for 50 ms after a subscriber touched an address it is told nothing
about it, and after that only what it cannot know. Which subscriber a sender is, is seen from its ports; where that
cannot be seen, every subscriber of that host waits the 50 ms.
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
"""Seconds without an echo, seconds a touch is remembered, subscribers by message, bytes of an outgoing bundle."""
METERS = (
    *(f"{ROOT}/sound/{name}" for name in ("level", "bass", "mid", "high", "onset", "beat", "bpm")),
    *(f"{ROOT}/engine/{name}" for name in ("fps", "late", "latency")),
    f"{ROOT}/health",
)
"""Numbers that only leave. A control of the same address is told to subscribers at its 0..1 address alone."""

_BUNDLE = b"#bundle\x00" + struct.pack(">Q", 1)  # the time tag that means: at once


def _padded(raw: bytes) -> bytes:
    return raw + b"\x00" * (4 - len(raw) % 4)


def encode(address: str, value: Value) -> bytes:
    """One message with one argument: `i` for whole numbers and switches (`h` past 32 bits), `f`, or `s`."""
    head = _padded(address.encode())
    if isinstance(value, str):
        return head + b",s\x00\x00" + _padded(value.replace("\x00", "").encode(errors="replace"))
    if isinstance(value, float):
        return head + b",f\x00\x00" + struct.pack(">f", min(max(value, -3.4e38), 3.4e38))
    if -(2**31) <= value < 2**31:
        return head + b",i\x00\x00" + struct.pack(">i", value)
    return head + b",h\x00\x00" + struct.pack(">q", min(max(value, -(2**63)), 2**63 - 1))


def pack(messages: Sequence[bytes]) -> Iterator[bytes]:
    """Datagrams for messages: one alone as it is, more in bundles of LARGEST bytes at most where they fit."""
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
    """Who is told. `ports` are those it is known to use on its host; `until` is 0 for ever."""

    target: Sender
    fixed: bool
    ports: set[int]
    until: float = 0.0
    held: dict[str, float] = field(default_factory=dict[str, float])


class Subscriptions:
    """Tells subscribers. Any thread.

    Args:
        table: every control; what is told starts with its defaults.
        send: hands a datagram to the system; must neither wait nor raise.
        fixed: subscribers from the start, for ever.
        clock: seconds that only go forward.

    """

    def __init__(
        self,
        table: Mapping[str, Parameter],
        send: Callable[[bytes, Sender], None],
        fixed: Iterable[Sender] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table, self._send, self._clock = table, send, clock
        self._values: dict[str, Value] = {path: param.default for path, param in table.items() if not param.event}
        self._subscribers = {target: Subscriber(target, True, {target[1]}) for target in fixed}
        self._touches: dict[str, dict[Sender, tuple[float, Any]]] = {}
        self._lock = threading.Lock()

    @property
    def subscribers(self) -> list[Sender]:
        """Host and port of everyone who is told."""
        with self._lock:
            return list(self._subscribers)

    def subscribe(self, sender: Sender, port: int, seconds: float = 0.0) -> None:
        """Tell `port` on the sender's host from now on, for ever or for so long. The oldest of 17 is forgotten."""
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
        """Stop telling that port of the sender's host; None: what the sender subscribed, else its whole host."""
        with self._lock:
            mine = [one for one in self._subscribers.values() if one.target[0] == sender[0]]
            own = [one for one in mine if sender[1] in one.ports] or mine
            for one in own if port is None else [one for one in mine if one.target[1] == port]:
                del self._subscribers[one.target]

    def touched(self, accepted: Accepted, sender: Sender) -> None:
        """A sender asked for a change just now."""
        with self._lock:
            now = self._clock()
            touches = self._touches.setdefault(accepted.change.path, {})
            touches.pop(sender, None)
            touches[sender] = (now, accepted.asked)
            if len(touches) > SUBSCRIBERS:
                del touches[next(iter(touches))]

    def publish(self, changes: Iterable[Change]) -> None:
        """Changes were applied: tell everyone but whoever is moving that control now."""
        with self._lock:
            fresh = {change.path: change.value for change in changes if change.path in self._values}
            self._values.update(fresh)
            for one in self._subscribers.values():
                one.held.update(dict.fromkeys(fresh, 0.0))
        self.flush()

    def flush(self) -> None:
        """Tell what has waited its 50 ms; forget whose time has run out."""
        with self._lock:
            now = self._clock()
            for one in list(self._subscribers.values()):
                if 0.0 < one.until <= now:
                    del self._subscribers[one.target]
                else:
                    self._tell(one, [path for path in one.held if self._is_ripe(one, path, now)])

    def wait(self) -> float:
        """Seconds until `flush` has something to do; infinite if nothing waits."""
        with self._lock:
            held = [due for one in self._subscribers.values() for due in one.held.values()]
            return max(0.0, min(held) - self._clock()) if held else float("inf")

    def send_values(self, values: Mapping[str, Value]) -> None:
        """Send numbers or words (address, with or without /sonorama, to value) to every subscriber.

        Numbers that are not finite are left out.
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
        """Send every value to `port` on the sender's host; None: where that host subscribed, else `default`."""
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
        for path in news:  # what it asked for before is no longer what it knows
            touches = self._touches.get(path, {})
            touches.update({sender: (touches[sender][0], None) for sender in touches if self._is(one, sender)})

    def _is_ripe(self, one: Subscriber, path: str, now: float) -> bool:
        """Whether the subscriber may be told; else notes when."""
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
        """Whether the subscriber itself asked for exactly this value last."""
        own = [asked for sender, asked in self._touches.get(path, {}).items() if self._is(one, sender)]
        return bool(own) and max(own, key=lambda touch: touch[0])[1] == self._values[path]

    def _is(self, one: Subscriber, sender: Sender) -> bool:
        return sender[0] == one.target[0] and sender[1] in one.ports
