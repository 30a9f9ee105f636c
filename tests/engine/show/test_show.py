"""What a show finds when it begins."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.frame_map import FrameMap, FrameMapWriter
from sonorama.engine.ipc.messages import RendererStatus
from sonorama.engine.ipc.shared_paths import inner_name, shared_path
from sonorama.engine.show.plan import TEST_PATTERN, ShowPlan
from sonorama.engine.show.show import Show


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_pictures_of_a_killed_show_of_the_same_name_are_never_seen(
    tiny_world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONORAMA_LOOKS", str(tmp_path))
    name = f"left-{os.getpid()}"
    with FrameMapWriter(inner_name(name), 8, 8) as left:
        left.publish(np.zeros((8, 8, 4), np.uint8), 0, 2227)
        show = Show(ShowPlan(name, "silence", tiny_world, osc_port=0))
        try:
            assert not shared_path(inner_name(name)).exists()
        finally:
            show.close()


def test_a_move_on_the_slate_reaches_the_outputs_and_leaves_them(
    tiny_world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONORAMA_LOOKS", str(tmp_path))
    show = Show(ShowPlan(f"slate-{os.getpid()}", "silence", tiny_world, {"/out/slate": 4.0}, osc_port=0))
    try:
        for moved, stands in ({"/out/slate": 9.0}, 9.0), ({}, 4.0):
            show.events.renderer_status.publish(RendererStatus(effective=moved))
            show.output_loop.params.take()
            show.output_loop.params.move(1 / 30)
            assert show.output_loop.params.effective()["/out/slate"] == stands
            assert show.control_state.moved == moved
    finally:
        show.close()


def test_a_recording_that_the_command_line_sets_begins(
    tiny_world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--set /out/record=1` holds from the start, so no change of it would ever begin a file."""
    monkeypatch.setenv("SONORAMA_LOOKS", str(tmp_path))
    name, film = f"record-{os.getpid()}", tmp_path / "a.mkv"
    plan = ShowPlan(
        name, "silence", tiny_world, {"/out/record": True}, renderer="test-pattern", osc_port=0, osc_out=0, record=film
    )
    with Show(plan) as show:
        end = time.monotonic() + 60
        while not film.exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        assert show.recorder.on


def test_several_outputs_at_once_each_with_its_own_shape(
    tiny_world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONORAMA_LOOKS", str(tmp_path))
    monkeypatch.setenv("SONORAMA_SHOWS", str(tmp_path))
    name = f"outputs-{os.getpid()}"
    sinks = (f"map:{name}.a,size=96x48", f"map:{name}.b,flip=vertical,delay=60", "stream:tcp:0", f"map:{name}/no")
    size = {"/out/width": 64, "/out/height": 32}
    with pytest.raises(SonoramaError, match="cannot name"):
        Show(ShowPlan(name, "tone", tiny_world, size, sinks=sinks, osc_port=0, renderer=TEST_PATTERN))
    with Show(ShowPlan(name, "tone", tiny_world, size, sinks=sinks[:3], osc_port=0, renderer=TEST_PATTERN)) as show:
        assert show.wait_for_picture(60)
        until(lambda: all(runner.counts.sent > 5 for runner in show.runners))
        for wanted, other in (((64, 32), name), ((96, 48), f"{name}.a"), ((64, 32), f"{name}.b")):
            with FrameMap.open(other) as frames:
                assert frames.size == wanted and frames.newest() is not None
        outputs = show.report.status().outputs
        assert [line.split(":")[0] for line in outputs] == [f"map {name}.a", f"map {name}.b", "stream tcp"]
        assert "tcp://127.0.0.1" in outputs[2] and show.output_loop.faults() == []
