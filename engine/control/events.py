"""What happens in a show, as events that its parts subscribe to: the take, the status, bridges, outputs, panels."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..errors import one_line_error
from ..faults import Faults
from ..ipc.messages import (
    Applied,
    LoadRefused,
    Meters,
    PrecisionChanged,
    Ready,
    RendererStatus,
    SoundHeld,
    SoundMissed,
    Status,
)
from .parameters import Change, Value

T = TypeVar("T")


@dataclass(frozen=True)
class Restarted:
    """The renderer process ended and another one was started.

    Attributes:
        count: how many were started after the first.

    """

    count: int


@dataclass(frozen=True)
class BegunAfresh:
    """A renderer could not continue from the state of the one before; it starts at rest.

    Attributes:
        frame: its first frame.
        sample: the first sample that it plays.
        values: of all parameters, by address.

    """

    frame: int
    sample: int
    values: Mapping[str, Value]


class Event(Generic[T]):
    """One kind of event. A callback that raises loses its own reaction; the other callbacks are called all the same.

    Args:
        faults: where a callback that raised is reported; its traceback goes to the log.

    """

    def __init__(self, faults: Faults) -> None:
        self._faults, self._lock = faults, threading.Lock()
        self._callbacks: tuple[tuple[str, Callable[[T], object]], ...] = ()

    def subscribe(self, callback: Callable[[T], object], who: str) -> None:
        """Call `callback` with what is published from now on. It must not wait. Any thread.

        Args:
            callback: called in the thread that publishes, after the callbacks that subscribed before it.
            who: as error messages name the subscriber: "The ... failed".

        """
        with self._lock:
            self._callbacks = (*self._callbacks, (who, callback))

    def publish(self, value: T) -> None:
        """Call every callback, in the order in which they subscribed. Any thread."""
        for who, callback in self._callbacks:
            try:
                callback(value)
            except Exception as error:  # noqa: BLE001 (a subscriber may raise anything, and the show goes on)
                self._faults.note(who, f"The {who} failed: {one_line_error(error)}", error)


class ShowEvents:
    """The events of one show. All but `urgent` are published by the control loop's thread.

    Attributes:
        changed: changes that hold from now on, events such as `/out/panic` among them, in order.
        urgent: blackout, freeze or panic as a bridge received it, before the control loop takes it up; published in
            the bridge's thread.
        applied: the renderer has applied changes at a frame.
        ready: a renderer has begun to play.
        restarted: another renderer process was started in place of one that ended.
        begun_afresh: a renderer starts at rest instead of where the one before it was.
        load_refused: a world, device or text could not be loaded.
        sound_missed: the renderer played silence in place of samples that were lost.
        sound_held: the sound networks were late, so points of the sound took an earlier answer.
        precision_changed: pictures are painted in another precision from a frame on.
        renderer_status: the renderer's state, ten times a second.
        meters: features of the sound, with every frame.
        status: the show's state, ten times a second.
        measured: what bridges send of meters and status: address to value.

    """

    def __init__(self, faults: Faults) -> None:
        self.changed: Event[Sequence[Change]] = Event(faults)
        self.urgent: Event[Change] = Event(faults)
        self.applied: Event[Applied] = Event(faults)
        self.ready: Event[Ready] = Event(faults)
        self.restarted: Event[Restarted] = Event(faults)
        self.begun_afresh: Event[BegunAfresh] = Event(faults)
        self.load_refused: Event[LoadRefused] = Event(faults)
        self.sound_missed: Event[SoundMissed] = Event(faults)
        self.sound_held: Event[SoundHeld] = Event(faults)
        self.precision_changed: Event[PrecisionChanged] = Event(faults)
        self.renderer_status: Event[RendererStatus] = Event(faults)
        self.meters: Event[Meters] = Event(faults)
        self.status: Event[Status] = Event(faults)
        self.measured: Event[Mapping[str, Value]] = Event(faults)
