"""The show: the process that never stops. It hears, keeps every value, ticks the outputs, and keeps a renderer alive.

No torch, no Qt. Its threads: sound in (audio/capture.py), OSC (osc/), the control loop (control_loop.py: values,
panels, supervision of the renderer), the outputs (output_loop.py) with one thread for each sink, and the take's
(take/). None waits for another.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Self

from ..audio.capture import Capture
from ..audio.sample_ring import SampleRing, SampleRingWriter
from ..control import presets
from ..control.parameters import Change, Value
from ..control.scenes import SceneBank
from ..errors import SonoramaError
from ..faults import Faults
from ..files.atomic import check_folder
from ..ipc.channel import Server
from ..ipc.messages import Hello, LoadRefused, Ready, RendererStatus, SoundMissed, Status
from ..ipc.shared_paths import inner_name, remove_private, shared_path
from ..model.world_file import Card, find_world, read_card
from ..osc.bridge import osc_argument
from ..osc.server import PORT, PORT_OUT
from ..picture.scale import output_size
from ..pipeline.frame_grid import exact_rate
from ..plugins.interfaces import StreamInfo
from ..plugins.open_source import open_source
from ..plugins.registry import open_sink
from ..take.writer import TakeStart, TakeWriter
from .bridges import BridgeRunner, Port
from .control_loop import ControlLoop
from .control_state import ControlState
from .disk_worker import DiskWorker
from .output_loop import OutputLoop
from .recorder import Recorder
from .sink_runner import SinkRunner
from .status import Report, Stats, osc_meters, osc_values
from .supervisor import RendererSupervisor
from .test_pattern_renderer import TestPatternRenderer

TEST_CARD = "test-card"
SLATE = "/out/slate"
CARD_SIZE = 512


@dataclass(frozen=True)
class ShowPlan:
    """What a show is made of.

    Attributes:
        name: other programs find it under `sonorama-<name>`.
        source: `--source`; `test-card` paints a test card and plays a test tone.
        world: name or path.
        values: what controls stand at, by address; the others at their defaults.
        events: what fires when it begins, such as the recall of a scene.
        sinks: `--sink` each.
        record: file or folder for recordings; None: the user's videos folder.
        record_now: whether recording begins with the show.
        take: folder to keep the performance in; None keeps none.
        osc_port: where OSC listens; the next free one is taken if it is busy.
        osc_out: port of this machine that is told of everything; 0: none.
        osc_host, osc_allow: see osc.OscServer.
        bridges: `--bridge` each, besides OSC.
        stats: file for one JSON object a second.

    """

    name: str = "sonorama"
    source: str = "device"
    world: str = "shore"
    values: Mapping[str, Value] = field(default_factory=dict)
    events: tuple[Change, ...] = ()
    sinks: tuple[str, ...] = ()
    record: Path | None = None
    record_now: bool = False
    take: Path | None = None
    osc_port: int = PORT
    osc_out: int = PORT_OUT
    osc_host: str = "127.0.0.1"
    osc_allow: tuple[str, ...] = ()
    bridges: tuple[str, ...] = ()
    stats: Path | None = None


class Show:
    """One show, from `start` to `close`.

    Raises:
        SonoramaError: what was asked for is not there, or another show has that name.

    """

    def __init__(self, plan: ShowPlan) -> None:
        self.plan = plan
        self.faults = Faults()
        self._card = plan.source == TEST_CARD
        if self._card and plan.take is not None:
            raise SonoramaError("A test card is no performance: there is no take of it", "Leave --take out.")
        source = "tone" if self._card else plan.source
        self.world: Card = read_card(find_world(plan.world))
        values: dict[str, Value] = {**plan.values, "/engine/world": plan.world}
        with ExitStack() as undo:
            self.source, factory = open_source(source)
            sinks = [open_sink(spec) for spec in plan.sinks]
            if plan.record is not None:
                open_sink(f"record:{plan.record}")  # refused now, if ever
                check_folder(plan.record.parent, plan.record)
            self._stats = undo.enter_context(contextlib.closing(Stats(plan.stats))) if plan.stats else None
            self._ring = undo.enter_context(SampleRingWriter(plan.name))
            self._sound = undo.enter_context(SampleRing(plan.name))
            self._disk_worker = undo.enter_context(contextlib.closing(DiskWorker(self.faults.note)))
            scenes = SceneBank(presets.file_of(plan.name, "scenes"))
            self.control_state = ControlState(values, scenes, self.faults.note, self._disk_worker.do)
            self._make_outputs(undo)
            self.capture = Capture(self.source, factory, self._ring)
            self._make_control_loop(undo)
            self.runners = [SinkRunner(label, make, self.output_loop.info) for label, make in sinks]
            self.recording = Recorder(plan.record, plan.name, self.output_loop, self.faults)
            self.take = self._make_take() if plan.take else None
            undo.pop_all()

    def _size(self) -> tuple[int, int]:
        own = (CARD_SIZE, CARD_SIZE) if self._card else (self.world.width, self.world.height)
        return output_size(self.control_state.values, own)

    def _fps(self) -> Fraction:
        return exact_rate(float(self.control_state.values["/engine/fps"]))

    def _make_outputs(self, undo: ExitStack) -> None:
        (width, height), name = self._size(), self.plan.name
        info = StreamInfo(name, width, height, self._fps(), name, f"{self.world.name} {self.world.version}")
        self.supervisor: RendererSupervisor | None = None
        self.card: TestPatternRenderer | None = None
        self.output_loop = OutputLoop(inner_name(name), info, self._sound.captured_ns, self._playing, self.faults)
        undo.callback(self.output_loop.close)
        remove_private(shared_path(inner_name(name)))  # pictures of a show of this name that was killed
        for path, value in self.control_state.values.items():
            if path.startswith("/out/"):
                self.output_loop.post(Change(path, value, "start"))
        if self._card:
            self.card = TestPatternRenderer(inner_name(name), self._size, self._fps, lambda: self._ring.count)
            undo.callback(self.card.close)

    def _playing(self) -> bool:
        player = self.card or self.supervisor
        return player is not None and player.playing

    def _make_control_loop(self, undo: ExitStack) -> None:
        plan, server = self.plan, Server()
        undo.callback(server.close)
        osc = osc_argument(plan.osc_port, plan.osc_out, plan.osc_host, plan.osc_allow)
        self.bridges = BridgeRunner([f"osc:{osc}", *plan.bridges], self._make_port, self.faults)
        undo.callback(self.bridges.close)
        if not self._card:
            self.supervisor = RendererSupervisor(
                plan.name, self.control_state.values, self._now, self._did, self.faults
            )
            self.supervisor.on_restart, self.supervisor.on_deaf = self._restarted, self._deaf
            self.supervisor.on_status, self.supervisor.on_fresh = self._heard, self._begun_afresh
            self.supervisor.on_ready, self.supervisor.on_refused = self._ready, self._load_refused
            self.supervisor.on_meters = lambda meters: self.bridges.send_values(osc_meters(meters))
        self.report = Report(self.source, lambda: self.output_loop.tally, self.all_faults)
        self.control_loop = ControlLoop(
            server, self.control_state, self.supervisor, self._hello, self._act, self._told, self._status, self.faults
        )
        self._server = server

    def _make_port(self) -> Port:
        state = self.control_state
        return Port(self.plan.name, lambda: state.values, self._post, self._fast, state.accept)

    def _make_take(self) -> TakeWriter:
        values, card = self.control_state.values, self.world
        device, size = str(values["/engine/device"]), self._size()
        start = TakeStart(card.name, card.content, card.version, device, self._fps(), size, dict(values))
        assert self.plan.take is not None  # noqa: S101 (asked for before)
        return TakeWriter(self.plan.take, start, self.plan.name)

    # --- its life

    def start(self) -> None:
        """Begin; everything runs by itself from here."""
        self.bridges.start()
        facts = {**self.bridges.facts, "frame_map": self.plan.name, "world": self.world.name}
        self._server.announce(self.plan.name, facts)
        self.capture.start()
        if self.card is not None:
            self.card.start()
        self.output_loop.start()
        for runner in self.runners:
            self.output_loop.add(runner)
        self.control_loop.start()
        for change in self.plan.events:
            self._post(change)
        if self.plan.record_now:
            self._post(Change("/out/record", True, "command line"))

    def close(self) -> None:
        """End it: the renderer first, then outputs and recordings, the sound last."""
        self.control_loop.close()
        self.bridges.close()
        self.recording.close()
        self.output_loop.close()
        if self.card is not None:
            self.card.close()
        if self.take is not None:
            tally = self.output_loop.tally
            self.take.close(tally.frame, tally.sample)
        self.capture.close()
        self._sound.close()
        self._ring.close()
        self._disk_worker.close()
        if self._stats is not None:
            self._stats.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- called by the control loop, OSC and the supervisor

    def _post(self, change: Change) -> None:
        self.control_loop.post(change)

    def _fast(self, change: Change) -> None:
        """Blackout, freeze and panic act on the outputs at once, ahead of the control loop's queue."""
        if change.path != "/out/panic":
            self.output_loop.post(change)
        self.control_loop.post(change)

    def _act(self, change: Change) -> None:
        if change.path.startswith("/out/") and change.path != "/out/panic":
            self.output_loop.post(change)
        if change.path == "/out/record":
            self.recording.set(bool(change.value))
        elif change.path == "/engine/fps":
            self.output_loop.set_rate(float(change.value))

    def _told(self, changes: list[Change]) -> None:
        self.bridges.publish(changes)

    def _now(self) -> tuple[int, int]:
        """Where a renderer begins that begins afresh."""
        tally, sample = self.output_loop.tally, self._ring.count
        passed = int((sample - tally.sample) * self._fps() / 44_100)
        return tally.frame + max(1, passed), sample

    def _did(self, frame: int, sample: int, changes: list[Change]) -> None:
        if self.take is not None:
            self.take.changes(frame, sample, changes)
            for change in changes:
                if change.path == "/engine/world":
                    self._opened(frame, sample, str(change.value))
        self.control_loop.applied(changes)

    def _opened(self, frame: int, sample: int, world: str) -> None:
        with contextlib.suppress(SonoramaError):  # gone since it was opened: the take does without its hash
            assert self.take is not None  # noqa: S101 (asked for before)
            self.take.world_opened(frame, sample, world, read_card(find_world(world)).content)

    def _ready(self, ready: Ready) -> None:
        """A renderer plays, on a device for which /engine/device may have said `auto`."""
        if self.take is not None:
            self.take.played_on(self.output_loop.tally.frame, self.output_loop.tally.sample, ready.device)

    def _restarted(self, restarts: int) -> None:
        if self.take is not None:
            self.take.restart(self.output_loop.tally.frame, self.output_loop.tally.sample, restarts)

    def _begun_afresh(self, frame: int, sample: int, values: Mapping[str, Value]) -> None:
        if self.take is not None:
            self.take.fresh(frame, sample, values)

    def _deaf(self, missed: SoundMissed) -> None:
        if self.take is not None:
            self.take.deaf(missed.frame, missed.sample, missed.first, missed.last)

    def _load_refused(self, refused: LoadRefused) -> None:
        if self.control_state.values[refused.path] != refused.value:
            self._post(Change(refused.path, refused.value, "renderer"))

    def _heard(self, status: RendererStatus) -> None:
        self.control_state.moved = moved = status.effective
        self.output_loop.post(Change(SLATE, moved.get(SLATE, self.control_state.values[SLATE]), "moves"))
        self.report.hear(status)

    # --- what it says

    def _hello(self) -> Hello:
        world, version = str(self.control_state.values["/engine/world"]), metadata.version("sonorama")
        return Hello(self.plan.name, world, self.plan.name, int(self.bridges.facts.get("osc_port", 0)), version)

    def all_faults(self) -> list[str]:
        """Everything that is wrong now, one line each."""
        lines = [*self.capture.faults(), *self.bridges.faults()]
        for runner in self.output_loop.runners:
            lines += runner.faults()
        return lines + (self.take.faults() if self.take else []) + self.faults.recent()

    def _status(self) -> Status:
        facts = self.bridges.facts
        status = self.report.status(
            target_fps=float(self._fps()),
            renderer_pid=self.supervisor.pid if self.supervisor else os.getpid(),
            restarts=max(0, self.supervisor.restarts) if self.supervisor else 0,
            recording=self.recording.on,
            scenes=tuple(self.control_state.scenes.stored),
            loading=tuple(self.supervisor.loading) if self.supervisor else (),
            osc_port=int(facts.get("osc_port", 0)),
            osc_received=int(facts.get("osc_received", 0)),
            bridges=facts,
        )
        self.bridges.send_values(osc_values(status, self.report.stale))
        if self._stats is not None:
            self._disk_worker.do("statistics", partial(self._stats.note, status))
        self.status = status
        return status

    def wait_for_picture(self, seconds: float) -> bool:
        """Wait until the first picture of a renderer has left.

        Raises:
            SonoramaError: the renderer says that it cannot begin.

        """
        end = time.monotonic() + seconds
        while not self.output_loop.tally.fps and time.monotonic() < end:
            if self.supervisor is not None and self.supervisor.failed is not None:
                raise SonoramaError(*self.supervisor.failed)
            time.sleep(0.02)
        return bool(self.output_loop.tally.fps)
