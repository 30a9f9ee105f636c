"""The output loop: a thread that sends one picture every tick, with or without a renderer.

It takes the newest picture of the inner frame map, or repeats the last one, applies the output controls, publishes it
in the show's frame map and offers it to every sink. While the renderer delivers pictures the ticks follow them; without
them they keep their own time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from ..control.addresses import ENGINE_FPS
from ..control.live_table import SHOW
from ..control.parameter_state import ParameterState
from ..control.parameters import Change
from ..errors import SonoramaError, one_line_error
from ..faults import Faults
from ..ipc.frame_map import FrameMap, FrameMapMissing, FrameMapWriter, FrameSlot
from ..picture.output_controls import OutputControls, lifted
from ..picture.scale import scaler
from ..pipeline.frame_grid import exact_rate
from ..plugins.interfaces import Picture, StreamInfo
from ..renderer.pacing import output_due
from ..units import SAMPLE_RATE, Pixels
from .sink_runner import SinkRunner, close_all

OUT = {path: param for path, param in SHOW.items() if path.startswith("/out/")}
EARLY, WAIT = 0.2, 0.5
"""Periods before its due time from which a tick takes a picture, and after it until which it waits for one."""
AGAIN_S = 0.2
"""Seconds between attempts to open a missing inner map."""
BEHIND_S = 2.0
"""Seconds from sound to picture from which it is a fault: the computer does not keep up."""
REMEMBERED = 240


@dataclass(frozen=True, slots=True)
class OutputCounts:
    """What left so far.

    Attributes:
        ticks: pictures sent. late: those that repeated the one before although a renderer was playing.
        frame, sample: of the newest picture. delay_ms: median from sound to picture lately, 0 if unknown.
        fps: new pictures a second, over the last two seconds. size: (width, height).

    """

    ticks: int = 0
    late: int = 0
    frame: int = 0
    sample: int = 0
    delay_ms: float = 0.0
    fps: float = 0.0
    size: tuple[int, int] = (0, 0)


class OutputLoop:
    """The outputs of one show. `post`, `add`, `drop` and `set_rate` may be called from any thread.

    Args:
        inner: name of the renderer's frame map.
        info: of the show: its name, size and rate.
        captured_ns: sample index -> monotonic nanoseconds at which it was captured.
        playing: whether a renderer plays, so that a repeated picture is a late one.
        faults: where to say what is wrong.

    Raises:
        FrameMapTaken: a show of that name is running already.

    """

    def __init__(
        self,
        inner: str,
        info: StreamInfo,
        captured_ns: Callable[[int], int],
        playing: Callable[[], bool],
        faults: Faults,
    ) -> None:
        self._inner_name, self._info, self._captured_ns = inner, info, captured_ns
        self._playing, self._faults = playing, faults
        self._out = FrameMapWriter(info.name, info.width, info.height)
        self._finish = OutputControls(info.width, info.height)
        self.params = ParameterState(OUT)
        self._inner: FrameMap | None = None
        self._open_at = 0.0
        self._count = 0  # of the inner map, as last seen
        self._lift = 1.0
        self._runners: tuple[SinkRunner, ...] = ()
        self._gone: list[SinkRunner] = []
        self._closing = False
        self._new_at: deque[float] = deque(maxlen=REMEMBERED)
        self._delays: deque[float] = deque(maxlen=REMEMBERED // 4)
        self.tally = OutputCounts()
        self._thread = threading.Thread(target=self._run, name="outputs", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def post(self, change: Change) -> None:
        """Set an /out/ control; acts at the next tick."""
        self.params.post(change)

    def add(self, runner: SinkRunner) -> None:
        """Start a sink and send pictures to it."""
        runner.start()
        self._runners = (*self._runners, runner)

    def drop(self, runner: SinkRunner) -> None:
        """Send no more pictures to a sink and let it finish."""
        self._runners = tuple(one for one in self._runners if one is not runner)
        runner.stop()
        self._gone.append(runner)

    @property
    def runners(self) -> tuple[SinkRunner, ...]:
        """The sinks that get pictures now."""
        return self._runners

    @property
    def info(self) -> StreamInfo:
        """Name, current size and current rate, as sinks are given them."""
        width, height = self.tally.size if self.tally.ticks else (self._info.width, self._info.height)
        return replace(self._info, width=width, height=height)

    @property
    def position(self) -> tuple[int, int]:
        """(frame, sample) of the newest picture that left."""
        tally = self.tally
        return tally.frame, tally.sample

    def frame_at(self, sample: int) -> int:
        """The frame that follows at a sample captured after the newest picture's."""
        tally = self.tally
        return tally.frame + max(1, int((sample - tally.sample) * self._info.fps / SAMPLE_RATE))

    @property
    def behind_s(self) -> float:
        """Seconds since the sound of the newest picture was captured; 0 while no renderer plays."""
        tally = self.tally
        if not tally.frame or not self._playing():
            return 0.0
        try:
            return max(0.0, (time.monotonic_ns() - self._captured_ns(max(0, tally.sample - 1))) / 1e9)
        except SonoramaError:
            return 0.0

    def faults(self) -> list[str]:
        """What is wrong with the pictures and the sinks, one line each."""
        lines = [line for runner in self._runners for line in runner.faults()]
        if (behind := self.behind_s) >= BEHIND_S:
            lines.insert(0, f"The picture is {behind:.0f} s behind the sound: lower {ENGINE_FPS}, or close programs")
        return lines

    def set_rate(self, fps: Fraction | float) -> None:
        """Tick at another rate, in frames a second."""
        self._info = replace(self._info, fps=exact_rate(fps))
        for runner in self._runners:
            runner.set_rate(self._info.fps)

    def close(self) -> None:
        """Stop, let the sinks finish, remove the frame map."""
        self._closing = True
        if self._thread.is_alive():
            self._thread.join(5.0)
        close_all([*self._runners, *self._gone])
        if self._inner is not None:
            self._inner.close()
        self._out.close()

    # --- the thread

    def _run(self) -> None:
        due = time.monotonic()
        while not self._closing:
            period = float(1 / self._info.fps)
            due = max(due, time.monotonic() - period)  # after a standstill it goes on from now
            arrived: float | None = None
            try:
                slot, arrived = self._newest(due, period)
                self._tick(slot, due, period)
            except Exception as error:  # noqa: BLE001 (whatever is wrong with one picture, the next one must leave)
                self._faults.note("outputs", f"A picture could not leave: {one_line_error(error)}", error)
                time.sleep(period)
            due = output_due(due, arrived, period)

    def _newest(self, due: float, period: float) -> tuple[FrameSlot | None, float | None]:
        """The newest picture if it is new, and when it came; waits for it until a little after `due`."""
        early, last = due - EARLY * period, due + WAIT * period
        if (pause := early - time.monotonic()) > 0:
            time.sleep(pause)
        inner = self._find()
        if inner is None:
            time.sleep(max(0.0, due - time.monotonic()))
            return None, None
        if not inner.wait(max(0.0, last - time.monotonic()), self._count):
            return None, None
        slot = inner.newest()
        if slot is None or slot.count == self._count:
            return None, None
        self._count = slot.count
        return slot, time.monotonic()

    def _find(self) -> FrameMap | None:
        if self._inner is None and (now := time.monotonic()) >= self._open_at:
            self._open_at = now + AGAIN_S
            try:
                self._inner = FrameMap.open(self._inner_name)
            except FrameMapMissing:
                return None
        return self._inner

    def _tick(self, slot: FrameSlot | None, due: float, period: float) -> None:
        self.params.take()
        self.params.move(period)
        self._lift = self._lift if slot is None else slot.lift
        values = lifted(self.params.effective(), self._lift)
        now = time.monotonic()
        picture = self._finish.apply(None if slot is None else slot.pixels, values, now, period)
        if self._out.size != (picture.shape[1], picture.shape[0]):
            picture = self._resized(picture)
        picture.setflags(write=False)
        self._count_up(slot, now, (picture.shape[1], picture.shape[0]))
        tally, pts = self.tally, round(due * 1e9)
        self._out.publish(picture, pts, tally.frame, slot is None, tally.sample)
        sent = Picture(picture, tally.frame, tally.ticks - 1, tally.sample, pts, slot is None)
        for runner in self._runners:
            runner.offer(sent)

    def _resized(self, picture: Pixels) -> Pixels:
        """The frame map in the picture's size; where there is no room for that, the picture in the map's."""
        size = (picture.shape[1], picture.shape[0])
        try:
            self._out.resize(*size)
        except SonoramaError as error:
            self._faults.note("size", error.message)
            return scaler(size, self._out.size)(picture)
        return picture

    def _count_up(self, slot: FrameSlot | None, now: float, size: tuple[int, int]) -> None:
        old = self.tally
        frame, sample = (old.frame, old.sample) if slot is None else (slot.frame, slot.sample)
        late = old.late + (slot is None and old.frame > 0 and self._playing())
        if slot is not None:
            self._new_at.append(now)
            self._measure(slot.sample)
        fps = sum(now - at <= 2.0 for at in self._new_at) / 2.0
        delays = sorted(self._delays)
        delay = delays[len(delays) // 2] if delays else 0.0
        self.tally = OutputCounts(old.ticks + 1, late, frame, sample, delay, fps, size)

    def _measure(self, sample: int) -> None:
        try:
            captured = self._captured_ns(max(0, sample - 1))
        except SonoramaError:
            return
        self._delays.append((time.monotonic_ns() - captured) / 1e6)
