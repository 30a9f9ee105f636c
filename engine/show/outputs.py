"""The output loop of a show, connected to the show's values and events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..control.addresses import ENGINE_FPS, OUT_PANIC, OUT_SLATE
from ..control.events import ShowEvents
from ..control.parameters import Change, Value
from ..errors import one_line
from ..faults import Faults
from ..ipc.messages import RendererStatus
from ..ipc.shared_paths import inner_name, remove_private, shared_path
from ..model.card import Card
from ..pipeline.frame_grid import exact_rate
from ..plugins.interfaces import StreamInfo
from .output_loop import OutputLoop
from .plan import ShowPlan
from .renderer import picture_size


def open_outputs(
    plan: ShowPlan,
    world: Card,
    values: Mapping[str, Value],
    captured_ns: Callable[[int], int],
    playing: Callable[[], bool],
    events: ShowEvents,
    faults: Faults,
) -> OutputLoop:
    """The output loop of a plan, not started yet. Pictures that a killed show of the same name left are removed.

    Args:
        plan: of the show.
        world: its card.
        values: of all parameters; the show goes on changing them.
        captured_ns: see OutputLoop.
        playing: see OutputLoop.
        events: of the show.
        faults: where to report what goes wrong.

    Raises:
        FrameMapTaken: a show of that name is running.

    """
    (width, height), fps = picture_size(plan, world, values), exact_rate(float(values[ENGINE_FPS]))
    played = f"{world.name} {world.version}, licence of the world: {one_line(world.licence)}"
    info = StreamInfo(plan.name, width, height, fps, plan.name, played)
    output_loop = OutputLoop(inner_name(plan.name), info, captured_ns, playing, faults)
    remove_private(shared_path(inner_name(plan.name)))
    follow_show(events, output_loop, values)
    return output_loop


def follow_show(events: ShowEvents, output_loop: OutputLoop, values: Mapping[str, Value]) -> None:
    """Let an output loop follow the /out/ parameters, the frame rate, and the modulated value of /out/slate."""

    def post(change: Change) -> None:
        if change.path.startswith("/out/") and change.path != OUT_PANIC:
            output_loop.post(change)

    def changed(changes: Sequence[Change]) -> None:
        for change in changes:
            post(change)
            if change.path == ENGINE_FPS:
                output_loop.set_rate(float(change.value))

    def modulated(status: RendererStatus) -> None:
        output_loop.post(Change(OUT_SLATE, status.effective.get(OUT_SLATE, values[OUT_SLATE]), "modulators"))

    for path, value in values.items():
        post(Change(path, value, "start"))
    events.changed.subscribe(changed, "output loop")
    events.urgent.subscribe(post, "output loop")
    events.renderer_status.subscribe(modulated, "output loop")
