"""The renderer process: reads the sample ring and paints into the inner frame map. It may be killed at any time.

Threads, and what they own:
    frame loop (main)   the FramePipeline and all of its state; applies changes, advances frames, hands style codes to
                        the paint thread. It waits for nothing but sound and time.
    painter             the inner frame map (paint_thread.py)
    loader, photos      open worlds and codes, embed texts, invert photos (world_loader.py, preparation_worker.py);
                        their results arrive as changes

Order within a frame: take the changes, advance, report what was applied, then paint, so that the show knows all changes
that can have been seen. The state is saved once a second. The next renderer restores it, advances through the same
sound with the same changes, and continues with the same bits.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import signal
import sys
import time
import warnings
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np

from ..audio.features import LIVE_METERS
from ..audio.sample_ring import SampleRing, SamplesLost
from ..control import blend_points
from ..control.addresses import blend
from ..control.change_queue import ChangeQueue
from ..control.live_table import SHOW
from ..control.parameters import Change, Value
from ..control.pending_load import LOADS, NONE_FOUND, RESULTS, without_loads
from ..errors import SonoramaError, one_line_error
from ..faults import Faults
from ..ipc.channel import TRUSTED, ChannelClosed, Peer, connect
from ..ipc.messages import (
    Applied,
    Apply,
    Failed,
    LoadRefused,
    Meters,
    MotionLost,
    PrecisionChanged,
    Quit,
    Ready,
    RendererStatus,
    SoundHeld,
    SoundMissed,
    Start,
    StateSaved,
)
from ..ipc.shared_paths import inner_name
from ..log.children import log_to_parent
from ..model.seed_bank import closest_seed
from ..pipeline.blend_surface import NUMBERS
from ..pipeline.conditioning import Held
from ..pipeline.frame_pipeline import MASTER, FramePipeline, FrameResult, mono
from ..pipeline.scores import bands, class_scores, scores
from ..pipeline.snapshot import read_state, save_state
from ..units import SAMPLE_RATE
from .pacing import Pace, verdict
from .paint_thread import STUCK_S, PaintThread
from .precision import PrecisionSwitch
from .world_loader import WorldLoader

log = logging.getLogger("sonorama.engine.renderer.frame_loop")  # the module runs as __main__
POLL_S = 0.0005
PATIENCE = Fraction(1, 2)
"""Part of a frame for which an answer of the sound networks is waited for; then the one before it stays."""
STATUS_S = 0.1
CATCH_UP_S = 20.0
"""Seconds after which new changes are applied even if the frames due by now are not reached yet."""
STATE_S = 1.0
LATE_POINTS = 20
"""The user is told when the sound networks are behind by so many grid points: 2 s."""
STILL_NS = 250_000_000
"""A frame is painted at least this often, even if it is late."""


class FrameLoop:
    """The frame loop of one renderer process.

    Args:
        name: of the show, whose sample ring it reads.
        peer: the connection to the show.
        start: the show's first message.

    """

    def __init__(self, name: str, peer: Peer, start: Start) -> None:
        self._peer, self._faults = peer, Faults()
        self._ring = SampleRing.open(name)
        self._state_file = Path(start.state_file)
        self._loader = WorldLoader(self._faults)
        self.pipeline = self._begin(start.values, start.state, dict(start.held))
        if start.fresh:
            self.pipeline.jump(*start.fresh)
        self._precision = PrecisionSwitch(self._faults)
        self._precision.resume(self.pipeline.instrument, start.precision)
        self._told_precision = ""
        self._journal = dict(start.journal)
        self._painter = PaintThread(inner_name(name), self._faults)
        self._asked = ChangeQueue(SHOW, events=None)
        self._found: list[Change] = []
        self._seq = self._asked_seq = 0
        self._closing = False
        self._catching_up = time.monotonic() + CATCH_UP_S
        newest = max(0, self._ring.count - 1)
        self._pace = Pace(self._ring.captured_ns(newest) - newest * 1_000_000_000 // SAMPLE_RATE)
        self._status_at = self._state_at = 0.0
        self._offered_ns = 0
        self._ask_for_results()

    def _begin(self, values: Mapping[str, Value], file: str, held: Held) -> FramePipeline:
        """A frame pipeline at rest with these values, or in the state that was saved in a file."""
        if not file:
            return FramePipeline(self._loader.open, values, held=held)
        arrays, state = read_state(Path(file))
        values = {**values, **dict(zip(LOADS, state["loaded"], strict=True))}
        pipeline = FramePipeline(self._loader.open, values, held=held)
        pipeline.restore(arrays, state)
        return pipeline

    def _ask_for_results(self) -> None:
        """Search for a text whose seed is not known yet, and for a photo whose code is not."""
        targets = self.pipeline.params.targets
        for path, found in RESULTS.items():
            if targets[path] and targets[found] in NONE_FOUND:
                self._loader.ask([Change(path, targets[path], "start")], self._loaded())

    def _loaded(self) -> tuple[str, str]:
        world, device = self.pipeline.loaded
        return world, device

    # --- the frame loop

    def run(self) -> None:
        """Play until the show disconnects."""
        card, backend = self.pipeline.instrument.world.card, self.pipeline.instrument.backend
        self._peer.send(Ready(card.name, card.version, backend.name))
        gc.collect()
        gc.freeze()
        try:
            while not self._closing:
                self._frame()
        except ChannelClosed:
            return
        finally:
            self._loader.close()
            self.pipeline.conditioner.close()
            self._painter.close()
            self._ring.close()

    def _frame(self) -> None:
        pipeline, fps = self.pipeline, self.pipeline.grid.fps
        sample = pipeline.next_sample
        self._prepare(sample)
        self._wait_for_sound(sample)
        ring = self._ring
        self._pace = self._pace.told(sample, ring.captured_ns(sample)).arrived(sample, ring.late_ns(), fps)
        due = self._pace.due_ns(sample)
        if (early := due - time.monotonic_ns()) > 0:
            time.sleep(early / 1e9)
        if self._closing:
            return
        self._receive()
        begun = time.monotonic_ns()
        replayed = self._replayed(due)
        changes = self._changes() if replayed is None else replayed
        pipeline.conditioner.patience_s = None if replayed is not None else float(PATIENCE / fps)
        step = self._step(sample, changes)
        if not np.isfinite(step.w).all():  # all later frames would be NaN, too
            raise FloatingPointError
        if replayed is None:
            self._hear_points(step)
        if changes and replayed is None:
            self._peer.send(Applied(step.frame, step.sample, changes, self._seq, begun))
        if late := pipeline.conditioner.late:
            pipeline.conditioner.late = []
            self._peer.send(SoundHeld(step.frame, step.sample, late))
        if not self._catching_up:
            self._peer.send(Meters([round(float(getattr(step.features, name)), 4) for name in LIVE_METERS]))
        now = time.monotonic_ns()
        if verdict(due, now, fps) == "paint" or (not self._catching_up and now - self._offered_ns > STILL_NS):
            self._offered_ns = now
            self._paint(step, due)
        self._report(step)

    def _paint(self, step: FrameResult, due: int) -> None:
        if self._precision.leaves_out(step.frame):
            return
        step = self._precision.applied(step)
        if (precision := self._precision.precision) != self._told_precision:
            self._told_precision = precision
            self._peer.send(PrecisionChanged(step.frame, step.sample, precision))
        self._painter.offer(step, due)

    def _prepare(self, sample: int) -> None:
        """Have the sound networks begin with a grid point before `sample` as soon as its sound has arrived."""
        pipeline, point = self.pipeline, self.pipeline.conditioner.next_point
        if self._catching_up or point > sample:
            return
        self._wait_for_sound(point)
        with contextlib.suppress(SamplesLost):
            pipeline.prepare(mono(self._ring.read(pipeline.sample, point)))

    def _wait_for_sound(self, sample: int) -> None:
        """Until the ring holds `sample` samples."""
        while (missing := sample - self._ring.count) > 0 and not self._closing:
            self._receive()
            time.sleep(min(max(missing / SAMPLE_RATE, POLL_S), 0.02))

    def _step(self, sample: int, changes: list[Change]) -> FrameResult:
        before = self.pipeline.sample
        try:
            sound = mono(self._ring.read(before, sample))
        except SamplesLost:  # delayed by more than the length of the ring
            self._peer.send(SoundMissed(self.pipeline.frame, sample, before, sample))
            sound = np.zeros(sample - before, np.float32)
        return self.pipeline.step(sound, changes)

    def _replayed(self, due: int) -> list[Change] | None:
        """The changes that acted at this frame while an earlier renderer played; None once its frames are repeated."""
        if not self._catching_up:
            return None
        behind = verdict(due, time.monotonic_ns(), self.pipeline.grid.fps) == "skip"
        journal = self._journal.pop(self.pipeline.frame, [])
        if journal or self._journal or (behind and time.monotonic() < self._catching_up):
            return journal
        self._catching_up = 0.0
        return None

    def _changes(self) -> list[Change]:
        """What acts at this frame: changes that were asked for since the one before, and results of loads."""
        asked, self._seq = self._asked.take(), self._asked_seq
        self._loader.ask(asked, self._loaded())
        found, self._found = self._found, []
        return without_loads(asked) + self._loader.results() + found

    def _hear_points(self, step: FrameResult) -> None:
        """For a point of the blend surface that asks for it: the seed whose picture fits the sound, from the next frame
        on.
        """
        asking = [point for point in NUMBERS if step.values[blend(point, "hear")]]
        code, codes = self.pipeline.conditioner.code, step.instrument.seed_bank.codes
        for point in asking:
            if code is None or not code.any() or codes is None:
                self._faults.note("blend", f"Point {point} stays as it is: there is no sound to find a picture for")
            else:
                self._found += blend_points.found(point, closest_seed(code, codes))

    # --- the connection to the show

    def _receive(self) -> None:
        while (message := self._peer.receive(0.0)) is not None:
            match message:
                case Apply():
                    self._asked.add(message.changes)
                    self._asked_seq = message.seq
                case Quit():
                    self._closing = True
                case _:
                    pass

    def _report(self, step: FrameResult) -> None:
        now = time.monotonic()
        if self._painter.stuck:
            raise SystemExit(f"Painting one picture has taken more than {STUCK_S:.0f} s")
        if now >= self._status_at:
            self._status_at = now + STATUS_S
            self._note_late()
            if not self._catching_up:
                painter = self._painter
                self._precision.measured(now, painter.fps, painter.paint_ms / 1000, painter.slow_ms / 1000)
            self._peer.send(self._status(step))
            for load in self._loader.refused():
                self._peer.send(LoadRefused(load.path, self.pipeline.params.targets[load.path]))
        if now >= self._state_at and not self._catching_up:
            self._state_at = now + STATE_S
            try:
                save_state(self._state_file, self.pipeline)
            except OSError as error:
                self._faults.note("state", f"The state cannot be saved: {one_line_error(error)}", error)
            else:
                self._peer.send(StateSaved(step.frame))

    def _note_late(self) -> None:
        if (behind := self.pipeline.conditioner.behind) >= LATE_POINTS:
            self._faults.note("slow", f"The sound networks are {behind / 10:.0f} s late, and so is the picture")

    def _status(self, step: FrameResult) -> RendererStatus:
        pipeline, features = self.pipeline, step.features
        return RendererStatus(
            **{name: round(float(getattr(features, name)), 4) for name in (*LIVE_METERS, "db")},
            frame=step.frame,
            painted_fps=self._painter.fps,
            paint_ms=self._painter.paint_ms,
            replaced=self._painter.replaced,
            precision=self._precision.told if self._told_precision else "",
            scores=tuple(scores(step.instrument.world, pipeline.conditioner.code)),
            classes=step.instrument.world.card.classes,
            class_scores=tuple(class_scores(step.instrument.world, pipeline.conditioner.code)),
            mel=tuple(bands(pipeline.conditioner)),
            effective={path: _effective(step, path) for path in pipeline.modulators.shifts},
            drivers=dict(pipeline.modulators.drivers),
            faults=(*self._faults.recent(), *pipeline.modulators.faults, *pipeline.base.faults),
        )


def _effective(step: FrameResult, path: str) -> float:
    return float(step.values[path]) * (step.lift if path == MASTER else 1.0)


def main(name: str) -> int:
    """Join the show `name` and play; the exit code."""
    for number in ("SIGINT", "SIGHUP"):  # Ctrl-C and a closed terminal end the show, which ends this process
        if hasattr(signal, number):
            signal.signal(getattr(signal, number), signal.SIG_IGN)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # those of libraries are of no use to players
    log_to_parent("renderer")
    peer = connect(name, "renderer")
    peer.largest = TRUSTED
    try:
        while not isinstance(start := peer.receive(None), Start):
            pass
        try:
            frame_loop = FrameLoop(name, peer, start)
        except SonoramaError as error:
            peer.send(Failed(error.message, error.hint))
            return 2
        except Exception as error:
            log.critical("The renderer cannot begin", exc_info=error)
            message = f"The renderer cannot begin: {one_line_error(error)}"
            peer.send(Failed(message, "The log says more; sonorama doctor prints where it is."))
            return 2
        frame_loop.run()
    except FloatingPointError as error:
        log.critical("The motion became NaN or infinite", exc_info=error)
        peer.send(MotionLost())
        return 3
    except ChannelClosed:
        return 0
    finally:
        peer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
