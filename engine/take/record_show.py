"""Keeps a running show in a take: the show's events become the take's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from ..control.addresses import ENGINE_WORLD
from ..control.events import BegunAfresh, Restarted, ShowEvents
from ..errors import SonoramaError
from ..ipc.messages import Applied, PrecisionChanged, Ready, SoundHeld, SoundMissed
from ..model.world_file import find_world, read_card
from .writer import TakeWriter


def record_show(events: ShowEvents, take: TakeWriter, position: Callable[[], tuple[int, int]]) -> None:
    """Write everything that a replay needs to know.

    Args:
        events: of the show.
        take: being written.
        position: gives (frame, sample) of the newest picture that left, for events without a frame of their own.

    """

    def applied(message: Applied) -> None:
        take.changes(message.frame, message.sample, message.changes)
        for change in message.changes:
            if change.path == ENGINE_WORLD:
                with contextlib.suppress(SonoramaError):  # its file is gone by now: the take does without its hash
                    card = read_card(find_world(str(change.value)))
                    take.world_opened(message.frame, message.sample, str(change.value), card.content)

    def ready(message: Ready) -> None:
        take.played_on(*position(), message.device)  # /engine/device may have said `auto`

    def restarted(event: Restarted) -> None:
        take.restart(*position(), event.count)

    def begun_afresh(event: BegunAfresh) -> None:
        take.fresh(event.frame, event.sample, event.values)

    def sound_missed(message: SoundMissed) -> None:
        take.deaf(message.frame, message.sample, message.first, message.last)

    def sound_held(message: SoundHeld) -> None:
        take.held(message.frame, message.sample, message.points)

    def precision_changed(message: PrecisionChanged) -> None:
        take.precision(message.frame, message.sample, message.precision)

    events.applied.subscribe(applied, "take")
    events.ready.subscribe(ready, "take")
    events.restarted.subscribe(restarted, "take")
    events.begun_afresh.subscribe(begun_afresh, "take")
    events.sound_missed.subscribe(sound_missed, "take")
    events.sound_held.subscribe(sound_held, "take")
    events.precision_changed.subscribe(precision_changed, "take")
