"""The log of a show that plays: what a crashed renderer said last is in it, and the terminal stays quiet."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .stage import LiveShow

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.mark.parametrize("options", [(), ("--debug",)])
def test_a_renderer_that_crashes_leaves_its_last_words(
    start: Callable[..., LiveShow], tmp_path: Path, options: tuple[str, ...]
) -> None:
    show = start("--source", "tone", *options, env={"SONORAMA_LOGS": str(tmp_path / "logs")})
    renderer = show.playing()
    os.kill(renderer, signal.SIGABRT)
    show.wait(lambda: show.renderer() not in (0, renderer), "no other renderer came")
    path = tmp_path / "logs" / f"{show.name}.log"
    show.wait(lambda: f"Renderer {renderer} ended" in path.read_text(), "the log does not tell of its end")
    text = path.read_text()
    assert "Fatal Python error: Aborted" in text
    assert "frame_loop.py" in text, "where it was"
    assert f"INFO show[{show.process.pid}]" in text
    assert f"Log: {path}" in show.output
    assert "Fatal Python error" not in show.output
    assert path.stat().st_mode & 0o777 == 0o600
