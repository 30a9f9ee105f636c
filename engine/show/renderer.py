"""The renderer as a show sees it: a process that plays a world, or a test pattern."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from ..control.events import ShowEvents
from ..control.parameters import Change, Value
from ..faults import Faults
from ..ipc.channel import Peer
from ..model.card import Card
from ..picture.scale import output_size
from .plan import TEST_PATTERN, ShowPlan
from .supervisor import RendererSupervisor
from .test_pattern_renderer import SIZE, TestPatternRenderer


class Renderer(Protocol):
    """Paints pictures into the inner frame map of a show, and reports to the show's events.

    `start` and `close` are called while the control loop does not run, the other methods by the control loop's thread;
    the properties may be read from any thread.
    """

    @property
    def pid(self) -> int:
        """Of the process that paints; 0 while there is none."""
        ...

    @property
    def restarts(self) -> int:
        """How many processes were started after the first."""
        ...

    @property
    def playing(self) -> bool:
        """Whether pictures are to be expected."""
        ...

    @property
    def loading(self) -> Sequence[str]:
        """Addresses whose new value is still being loaded."""
        ...

    @property
    def failed(self) -> tuple[str, str] | None:
        """(message, hint) if it could not begin to play."""
        ...

    @property
    def peer(self) -> Peer | None:
        """The connection to wait on; None while there is none."""
        ...

    def start(self) -> None:
        """Begin.

        Raises:
            SonoramaError: it cannot.

        """
        ...

    def join(self, peer: Peer) -> None:
        """A renderer process has connected."""
        ...

    def poll(self) -> None:
        """Publish what it reported, and see whether it still runs. Called every 20 ms at least."""
        ...

    def ask(self, changes: Iterable[Change]) -> None:
        """Hand on changes that hold."""
        ...

    def close(self) -> None:
        """End for good; may be called twice."""
        ...


def make_renderer(
    plan: ShowPlan,
    values: Mapping[str, Value],
    now: Callable[[], tuple[int, int]],
    events: ShowEvents,
    faults: Faults,
) -> Renderer:
    """The renderer that a plan asks for, not started yet.

    Args:
        plan: of the show.
        values: of all parameters; the show goes on changing them.
        now: gives (frame, sample) that come next.
        events: of the show.
        faults: where to report what goes wrong.

    """
    if plan.renderer == TEST_PATTERN:
        return TestPatternRenderer(plan.name, values, lambda: now()[1])
    supervisor = RendererSupervisor(plan.name, values, now, events, faults)
    if plan.motion is not None:
        supervisor.resume(plan.motion.file)
    return supervisor


def picture_size(plan: ShowPlan, world: Card, values: Mapping[str, Value]) -> tuple[int, int]:
    """(width, height) in px of the pictures of a plan's renderer."""
    return output_size(values, SIZE if plan.renderer == TEST_PATTERN else (world.width, world.height))
