"""Where any thread posts changes for the control loop."""

from __future__ import annotations

import contextlib
import socket
from collections import deque

from ..control.parameters import Change


class ChangeInbox:
    """Changes that wait for the control loop. It can be waited on with a selector: readable once something was posted.

    `post` may be called from any thread, all else belongs to the control loop.
    """

    def __init__(self) -> None:
        self._changes: deque[Change] = deque()
        self._bell, self._ringer = socket.socketpair()
        self._bell.setblocking(False)
        self._ringer.setblocking(False)
        self._rung = False

    def post(self, *changes: Change) -> None:
        """Ask for values, by valid changes that are taken together. Never waits."""
        self._changes.extend(changes)  # one step of the interpreter for a tuple: `take` gets all of them or none
        self.wake()

    def wake(self) -> None:
        """End the control loop's wait."""
        if not self._rung:
            self._rung = True
            with contextlib.suppress(OSError):
                self._ringer.send(b"x")

    def fileno(self) -> int:
        """Of the socket to wait on."""
        return self._bell.fileno()

    def reset(self) -> None:
        """After a wait, before `take`: the next post ends the next wait."""
        with contextlib.suppress(OSError):
            self._bell.recv(4096)
        self._rung = False  # not earlier: whoever saw it set has posted already, so `take` gets that change

    def take(self) -> list[Change]:
        """All changes that wait now, in order."""
        return [self._changes.popleft() for _ in range(len(self._changes))]

    def close(self) -> None:
        """Close the sockets."""
        self._bell.close()
        self._ringer.close()
