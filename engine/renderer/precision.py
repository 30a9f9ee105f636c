"""In which precision pictures are painted: what `/engine/precision` asks for, and what `auto` decides."""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import dataclass, replace

from ..control.addresses import ENGINE_FPS, ENGINE_PRECISION
from ..control.parameters import Value
from ..errors import one_line_error
from ..faults import Faults
from ..inference.precision import open_in, precision_of
from ..picture.scale import output_size
from ..pipeline.frame_pipeline import FrameResult
from ..pipeline.latent_motion import number
from ..pipeline.loaded_world import LoadedWorld
from ..units import EXACT
from .rate_watch import RateWatch

log = logging.getLogger(__name__)
AUTO, FAST = "auto", "fast"
FAULT = "precision"


@dataclass(frozen=True, slots=True)
class Demand:
    """What painting has to keep up with, and what somebody asked for.

    Attributes:
        setting: of /engine/precision.
        fps: frames a second.
        pixels: of the output picture.

    """

    setting: Value
    fps: float
    pixels: int

    @classmethod
    def of(cls, step: FrameResult) -> Demand:
        """That of a frame."""
        width, height = output_size(step.values, step.instrument.size)
        return cls(step.values[ENGINE_PRECISION], number(step.values, ENGINE_FPS), width * height)

    def begins_anew(self, before: Demand) -> bool:
        """Whether exact may keep up now although it did not before."""
        return self.setting != before.setting or self.fps < before.fps or self.pixels < before.pixels


class PrecisionSwitch:
    """Gives each frame the backend that paints it.

    A world is opened exactly. The fast precision is opened in a thread of its own when it is wanted for the first time;
    pictures are painted in it from the next frame after that. With `auto` it is wanted once exact painting has missed
    the frame rate (rate_watch.py), and stays until somebody loads a world or device, or asks for fewer frames a second,
    a smaller output or another precision. All methods are for the frame loop's thread.

    Args:
        faults: where to report that the fast precision which somebody asked for is not to be had.

    Attributes:
        precision: in which the last picture was painted: EXACT, or the name of a number format.

    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._world: LoadedWorld | None = None
        self._demand: Demand | None = None
        self._fast: LoadedWorld | None = None
        self._asked = self._too_slow = False
        self._opening: tuple[LoadedWorld, threading.Thread] | None = None
        self._opened: queue.SimpleQueue[tuple[LoadedWorld, LoadedWorld]] = queue.SimpleQueue()
        self._rate = RateWatch()
        self.precision = EXACT

    def resume(self, world: LoadedWorld, precision: str) -> None:
        """Continue in the precision that the renderer before this one painted in. Waits until it is opened."""
        if precision == EXACT:
            return
        try:
            self._fast = _in(world, precision)
        except Exception as error:  # noqa: BLE001 (whatever a library comes up with, the show plays on exactly)
            self._refused(error)
            return
        self._world, self._asked, self._too_slow = world, True, True

    def applied(self, step: FrameResult) -> FrameResult:
        """The frame with what is to paint it; call it for every frame that is painted."""
        self._follow(step.instrument, Demand.of(step))
        fast = self._fast if self._wanted else None
        self.precision = EXACT if fast is None else precision_of(fast.backend)
        return step if fast is None else replace(step, instrument=fast)

    def measured(self, now: float, painted_fps: float, paint_s: float) -> None:
        """What the paint thread achieves; see `RateWatch.told`. Some times a second, once frames are on time."""
        if self._demand is not None and self._demand.setting == AUTO and not self._too_slow:
            self._rate = self._rate.told(now, self._demand.fps, painted_fps, paint_s)
            if self._rate.too_slow:
                self._too_slow = True
                log.info(
                    "Exact painting misses %.0f frames a second: one takes %.0f ms", self._demand.fps, 1e3 * paint_s
                )

    @property
    def _wanted(self) -> bool:
        setting = self._demand.setting if self._demand else AUTO
        return setting == FAST or (setting == AUTO and self._too_slow)

    def _follow(self, world: LoadedWorld, demand: Demand) -> None:
        before, self._demand = self._demand, demand
        if world is not self._world:
            self._world, self._fast, self._asked = world, None, False
            self._begin_anew()
        elif before is not None and demand.begins_anew(before):
            self._asked = self._fast is not None or self._is_opening(world)
            self._begin_anew()
        while not self._opened.empty():
            exact, fast = self._opened.get()
            self._fast = fast if exact is world else self._fast
        if self._wanted and not self._asked:
            self._asked = True
            self._opening = world, threading.Thread(target=self._open, args=(world,), name="precision", daemon=True)
            self._opening[1].start()

    def _is_opening(self, world: LoadedWorld) -> bool:
        return self._opening is not None and self._opening[0] is world and self._opening[1].is_alive()

    def _begin_anew(self) -> None:
        self._rate, self._too_slow = RateWatch(), False

    def _open(self, world: LoadedWorld) -> None:
        """In a thread of its own."""
        try:
            fast = LoadedWorld(world.world, world.quality_gate.open_fast(world.backend))
        except Exception as error:  # noqa: BLE001 (whatever a library comes up with, the show plays on exactly)
            self._refused(error)
        else:
            self._opened.put((world, fast))

    def _refused(self, error: Exception) -> None:
        """Whoever asked for `fast` is told; `auto` is for machines with and without it."""
        line = f"Pictures stay exact: {one_line_error(error)}"
        log.info("%s", line)
        if self._demand is not None and self._demand.setting == FAST:
            self._faults.note(FAULT, line)


def _in(world: LoadedWorld, precision: str) -> LoadedWorld:
    return LoadedWorld(world.world, open_in(world.backend, precision))
