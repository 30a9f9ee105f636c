"""In which precision pictures are painted: what `/engine/precision` asks for, what `auto` decides, and what is left out
where even that is too slow.
"""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import dataclass, replace

from ..control.addresses import ENGINE_FPS, ENGINE_PRECISION
from ..control.parameters import Value
from ..errors import one_line_error
from ..faults import Faults
from ..inference.precision import can_leave_early, leaves_early, number_format, open_in, precision_of, with_early_exit
from ..picture.scale import output_size
from ..pipeline.frame_pipeline import FrameResult
from ..pipeline.latent_motion import number
from ..pipeline.loaded_world import LoadedWorld
from ..units import EXACT, HALF_RATE
from .rate_watch import EARLY, EVERYTHING, SECOND, LoadShedding, RateWatch

log = logging.getLogger(__name__)
AUTO, FAST = "auto", "fast"
FAULT = "precision"
LEFT_OUT = {
    EVERYTHING: "every frame is painted in full",
    EARLY: "the last block of the generator is left out (early exit)",
    SECOND: "every second frame is left out",
}


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
    a smaller output or another precision.

    If painting is too slow even so, or there is no fast precision, the last block of the generator is left out, then
    every second frame; both come back when there is time. With `exact` nothing is left out.

    All methods are for the frame loop's thread.

    Args:
        faults: where to report that the fast precision which somebody asked for is not to be had.

    Attributes:
        precision: in which the last picture was painted: EXACT, or the name of a number format, and early exit.

    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._world: LoadedWorld | None = None
        self._demand: Demand | None = None
        self._ready: dict[str, LoadedWorld] = {}  # FAST, and precisions with early exit by their names
        self._asked = set[str]()
        self._too_slow = self._never_early = False
        self._opening: tuple[LoadedWorld, threading.Thread, str] | None = None
        self._opened: queue.SimpleQueue[tuple[LoadedWorld, str, LoadedWorld | None]] = queue.SimpleQueue()
        self._rate, self._load = RateWatch(), LoadShedding()
        self.precision = EXACT

    def resume(self, world: LoadedWorld, precision: str) -> None:
        """Continue in the precision that the renderer before this one painted in. Waits until it is opened."""
        if precision == EXACT:
            return
        lower = number_format(precision)
        try:
            if lower != EXACT:
                self._ready[FAST] = _in(world, lower)
            if leaves_early(precision):
                self._ready[precision] = _in(world, precision)
        except Exception as error:  # noqa: BLE001 (whatever a library comes up with, the show plays on exactly)
            self._ready = {}
            self._refused(error)
            return
        self._world, self._asked, self._too_slow = world, {FAST, *self._ready}, True
        self._load = LoadShedding(EARLY if leaves_early(precision) else EVERYTHING)

    def applied(self, step: FrameResult) -> FrameResult:
        """The frame with what is to paint it; call it for every frame that is painted."""
        self._follow(step.instrument, Demand.of(step))
        painting = self._painting(step.instrument)
        if self._level >= EARLY:
            painting = self._ready.get(with_early_exit(precision_of(painting.backend)), painting)
        self.precision = precision_of(painting.backend)
        return step if painting is step.instrument else replace(step, instrument=painting)

    def leaves_out(self, frame: int) -> bool:
        """Whether a frame is not painted, to keep up with the others."""
        return self._level == SECOND and frame % 2 == 1

    @property
    def told(self) -> str:
        """What people are told: the precision, and whether every second frame is left out."""
        return f"{self.precision}, {HALF_RATE}" if self._level == SECOND else self.precision

    def measured(self, now: float, painted_fps: float, paint_s: float, slow_s: float = 0.0) -> None:
        """What the paint thread achieves; see `RateWatch.told` and `LoadShedding.told`. Some times a second, once
        frames are on time.
        """
        demand, world = self._demand, self._world
        if demand is None or world is None:
            return
        if demand.setting == AUTO and not self._too_slow:
            self._rate = self._rate.told(now, demand.fps, painted_fps, paint_s)
            if self._rate.too_slow:
                self._too_slow = True
                log.info("Exact painting misses %.0f frames a second: one takes %.0f ms", demand.fps, 1e3 * paint_s)
        elif demand.setting != EXACT and FAST in self._asked and not self._is_opening(world):
            self._shed(now, demand.fps, painted_fps, slow_s)

    def _shed(self, now: float, fps: float, painted_fps: float, slow_s: float) -> None:
        early = (EARLY,) if self._can_leave_early else ()
        load = self._load.told(now, fps, painted_fps, slow_s, (EVERYTHING, *early, SECOND))
        if load.level > self._load.level:
            log.info(
                "Painting misses %.0f frames a second (95 in 100 pictures take %.0f ms at most): %s",
                fps, 1e3 * slow_s, LEFT_OUT[load.level],
            )  # fmt: skip
        elif load.level < self._load.level:
            log.info("There is time to paint more again: %s", LEFT_OUT[load.level])
        self._load = load

    @property
    def _can_leave_early(self) -> bool:
        return self._world is not None and not self._never_early and can_leave_early(self._world.backend)

    @property
    def _level(self) -> int:
        return EVERYTHING if self._demand is not None and self._demand.setting == EXACT else self._load.level

    @property
    def _wanted(self) -> bool:
        setting = self._demand.setting if self._demand else AUTO
        return setting == FAST or (setting == AUTO and self._too_slow)

    def _painting(self, world: LoadedWorld) -> LoadedWorld:
        """What paints all of every frame."""
        return self._ready.get(FAST, world) if self._wanted else world

    def _follow(self, world: LoadedWorld, demand: Demand) -> None:
        before, self._demand = self._demand, demand
        if world is not self._world:
            self._world, self._ready, self._asked, self._never_early = world, {}, set(), False
            self._begin_anew()
        elif before is not None and demand.begins_anew(before):
            self._asked = set(self._ready)
            if self._opening is not None and self._is_opening(world):
                self._asked.add(self._opening[2])
            self._begin_anew()
        while not self._opened.empty():
            exact, name, made = self._opened.get()
            if exact is world and made is not None:
                self._ready[name] = made
            elif exact is world and name != FAST:
                self._never_early = True
        if self._wanted:
            self._open(world, FAST)
        if self._level >= EARLY and self._can_leave_early:
            self._open(world, with_early_exit(precision_of(self._painting(world).backend)))

    def _is_opening(self, world: LoadedWorld) -> bool:
        return self._opening is not None and self._opening[0] is world and self._opening[1].is_alive()

    def _begin_anew(self) -> None:
        self._rate, self._load, self._too_slow = RateWatch(), LoadShedding(), False

    def _open(self, world: LoadedWorld, name: str) -> None:
        """Open it in a thread of its own, once, one after another."""
        if name not in self._asked and not self._is_opening(world):
            self._asked.add(name)
            thread = threading.Thread(target=self._try_to_open, args=(world, name), name="precision", daemon=True)
            self._opening = world, thread, name
            thread.start()

    def _try_to_open(self, world: LoadedWorld, name: str) -> None:
        made = None
        try:
            if name == FAST:
                made = LoadedWorld(world.world, world.quality_gate.open_fast(world.backend))
            else:
                made = _in(world, name)
        except Exception as error:  # noqa: BLE001 (whatever a library comes up with, the show plays on exactly)
            self._refused(error, name)
        self._opened.put((world, name, made))

    def _refused(self, error: Exception, name: str = FAST) -> None:
        """Whoever asked for `fast` is told; `auto` is for machines with and without it."""
        line = one_line_error(error)
        if name != FAST:
            log.info("The last block cannot be left out: %s", line)
            return
        log.info("Pictures stay exact: %s", line)
        if self._demand is not None and self._demand.setting == FAST:
            self._faults.note(FAULT, f"Pictures stay exact: {line}")


def _in(world: LoadedWorld, precision: str) -> LoadedWorld:
    return LoadedWorld(world.world, open_in(world.backend, precision))
