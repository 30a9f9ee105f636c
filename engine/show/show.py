"""The show: the process that never stops. It makes its parts, starts and ends them; events connect them.

No torch, no Qt. Its threads: sound capture (audio/capture.py), OSC (osc/), the control loop (control_loop.py: values,
panels, the renderer), the output loop (output_loop.py) with one thread for each sink, and the take's (take/). None
waits for another.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Self

from ..control.addresses import OUT_RECORD, SOUND_CHANNELS, SOUND_INPUT
from ..control.events import ShowEvents
from ..control.parameters import Change
from ..control.timecode import follows_timecode, timecode_position
from ..errors import SonoramaError
from ..faults import Faults
from ..ipc.channel import Server
from ..model.world_file import Card, find_world, read_card
from .auto import AutoChanges
from .bridges import open_bridges
from .control_loop import ControlLoop
from .control_state import open_state
from .cues import open_player, play_cues
from .disk_worker import DiskWorker
from .inbox import ChangeInbox
from .output_shape import open_output
from .outputs import open_outputs
from .plan import ShowPlan
from .recorder import Recorder
from .renderer import make_renderer
from .resume import ResumeRecord, differences
from .sink_runner import SinkRunner
from .sound import SoundInput
from .status import Report, open_stats
from .take import open_take


class Show:
    """One show, from `start` to `close`.

    Args:
        plan: what it is made of.

    Attributes:
        events: what happens in it; subscribe before `start`.
        report: what it says about itself.

    Raises:
        SonoramaError: a part of the plan does not exist or cannot be opened, or another show has that name.

    """

    def __init__(self, plan: ShowPlan) -> None:
        self.plan, self.faults = plan, Faults()
        self.events = ShowEvents(self.faults)
        self.world: Card = read_card(find_world(plan.world))
        with ExitStack() as undo:
            self._make_sound_and_values(undo)
            self._make_pictures(undo)
            self._make_control(undo)
            undo.pop_all()

    def _make_sound_and_values(self, undo: ExitStack) -> None:
        plan = self.plan
        self.sound = SoundInput(plan.name, plan.source, plan.motion.sample if plan.motion else 0)
        undo.callback(self.sound.close)
        self._disk_worker = DiskWorker(self.faults.note)
        undo.callback(self._disk_worker.close)
        player, self._cue_file = open_player(plan, self.faults.note)
        self.control_state = open_state(plan, self.faults.note, self._disk_worker.do, self.world.classes, player)
        self._resume_record = ResumeRecord(plan, self.control_state, self.events, self._disk_worker.do)
        self._inbox = ChangeInbox()
        undo.callback(self._inbox.close)

    def _make_pictures(self, undo: ExitStack) -> None:
        plan, events, faults, values = self.plan, self.events, self.faults, self.control_state.values
        self.output_loop = open_outputs(
            plan, self.world, values, self.sound.captured_ns, lambda: self.renderer.playing, events, faults
        )
        undo.callback(self.output_loop.close)
        self.renderer = make_renderer(plan, values, self._now, events, faults)
        undo.callback(self.renderer.close)
        self.runners = [SinkRunner(*open_output(spec), self.output_loop.info) for spec in plan.sinks]
        self.recorder = Recorder(plan.record, plan.name, self.output_loop, self._inbox.post, events, faults)

    def _now(self) -> tuple[int, int]:
        """(frame, sample) that come next."""
        sample = self.sound.count
        return self.output_loop.frame_at(sample), sample

    def _make_control(self, undo: ExitStack) -> None:
        plan, events, faults, state = self.plan, self.events, self.faults, self.control_state
        self._server = Server()
        undo.callback(self._server.close)
        self.bridges = open_bridges(plan, state, self._inbox.post, events, faults, self.sound)
        undo.callback(self.bridges.close)
        self._stats = open_stats(plan.stats, events, self._disk_worker.do)
        if self._stats is not None:
            undo.callback(self._stats.close)
        output_loop = self.output_loop
        self.take = open_take(plan, self.world, state.values, output_loop.info, lambda: output_loop.position, events)
        said = [self.sound.faults, self.bridges.faults, output_loop.faults, faults.recent]
        if self.take is not None:
            said.insert(3, self.take.faults)
        self.report = Report(
            plan.name, self.sound, state, output_loop, self.recorder, self.renderer, self.bridges, events, said
        )
        auto = AutoChanges(lambda: state.values, self._inbox.post, time.monotonic)
        events.meters.subscribe(lambda meters: auto.hear(meters.values), "auto")
        play_cues(
            plan,
            state.cues,
            self._cue_file,
            self._cue_position,
            lambda: follows_timecode(state.values),
            self._inbox.post,
            self._disk_worker.do,
            events,
        )
        events.changed.subscribe(self._choose_input, "sound input")
        self.control_loop = ControlLoop(self._server, self._inbox, state, self.renderer, self.report, events, faults)

    def _cue_position(self) -> float | None:
        values = self.control_state.values
        if follows_timecode(values):
            return timecode_position(values, self.sound.second_at(time.monotonic_ns()))
        return self.sound.position_s

    def _choose_input(self, changes: Sequence[Change]) -> None:
        if any(change.path in (SOUND_INPUT, SOUND_CHANNELS) for change in changes):
            try:
                self.sound.choose(self.control_state.values)
            except SonoramaError as error:
                self.faults.note("sound input", f"{error.message}. {error.hint}")

    # --- its life

    def start(self) -> None:
        """Start everything.

        Raises:
            SonoramaError: a bridge or the renderer cannot be started.

        """
        self.bridges.start()
        facts = {**self.bridges.facts, "frame_map": self.plan.name, "world": self.world.name}
        self._server.announce(self.plan.name, facts)
        self.sound.choose(self.control_state.values)
        self.sound.start()
        self.output_loop.start()
        for runner in self.runners:
            self.output_loop.add(runner)
        self.control_loop.start()
        motion = self.plan.motion
        for change in (*self.plan.events, *(differences(motion, self.control_state.values) if motion else ())):
            self._inbox.post(change)
        if self.plan.record_now or self.control_state.values[OUT_RECORD]:
            self._inbox.post(Change(OUT_RECORD, True, "command line"))

    def close(self) -> None:
        """End it: the renderer first, then outputs and recordings, the sound last."""
        self.control_loop.close()
        self.bridges.close()
        self.recorder.close()
        self.output_loop.close()
        if self.take is not None:
            self.take.close(*self.output_loop.position)
        self.sound.close()
        self._disk_worker.close()
        self._resume_record.close()
        if self._stats is not None:
            self._stats.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait_for_picture(self, seconds: float) -> bool:
        """Wait until the first picture of a renderer has left.

        Raises:
            SonoramaError: the renderer cannot begin.

        """
        end = time.monotonic() + seconds
        while not self.output_loop.tally.fps and time.monotonic() < end:
            if self.renderer.failed is not None:
                raise SonoramaError(*self.renderer.failed)
            time.sleep(0.02)
        return bool(self.output_loop.tally.fps)
