"""What a show finds when it begins."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.ipc.frame_map import FrameMapWriter
from sonorama.engine.ipc.messages import RendererStatus
from sonorama.engine.ipc.shared_paths import inner_name, shared_path
from sonorama.engine.show.plan import ShowPlan
from sonorama.engine.show.show import Show


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
