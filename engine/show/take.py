"""The take of a show, if its plan asks for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ..control.addresses import ENGINE_DEVICE
from ..control.events import ShowEvents
from ..control.parameters import Value
from ..model.card import Card
from ..plugins.interfaces import StreamInfo
from ..take.record_show import record_show
from ..take.writer import TakeStart, TakeWriter
from .plan import ShowPlan


def open_take(
    plan: ShowPlan,
    world: Card,
    values: Mapping[str, Value],
    info: StreamInfo,
    position: Callable[[], tuple[int, int]],
    events: ShowEvents,
) -> TakeWriter | None:
    """Begin the take of a plan, which keeps what happens in the show; None without one.

    Args:
        plan: of the show.
        world: its card.
        values: of all parameters at the start.
        info: size and rate of the pictures.
        position: gives (frame, sample) of the newest picture that left.
        events: of the show.

    Raises:
        OutputError: its folder is in use, or cannot be written.

    """
    if plan.take is None:
        return None
    size, device = (info.width, info.height), str(values[ENGINE_DEVICE])
    start = TakeStart(
        world.name, world.content, world.version, device, info.fps, size, dict(values), classes=world.classes
    )
    if plan.motion is not None:
        motion = plan.motion
        start = replace(start, frame=motion.frame, sample=motion.sample, state=motion.file)
    take = TakeWriter(plan.take, start, plan.name)
    record_show(events, take, position)
    return take
