"""Progress in a log: a line now and then, with the time left at the pace so far."""

import re

import pytest

from sonorama.engine.cli import progress
from sonorama.engine.cli.progress import Progress


def test_lines_tell_the_time_left(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with Progress("render") as told:
        now += 60.0  # loading must not count
        for done in range(1, 102):
            told(done, 201)
            now += 0.5
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "render: 11 of 201, 95 s left"
    assert lines[-1] == "render: 101 of 201, 50 s left"
    assert len(lines) == 10


def test_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Progress("render") as told:
        for done in range(1, 31):
            told(done, 30)
    out, err = capsys.readouterr()
    assert out == ""
    assert "30/30" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", err)


def test_an_interruption_that_was_swallowed_comes_again_with_the_next_step() -> None:
    progress.note_interruption(KeyboardInterrupt)
    try:
        with progress.Progress("film") as step, pytest.raises(KeyboardInterrupt):
            step(1, 10)
    finally:
        progress.note_interruption(None)
    with progress.Progress("film") as step:
        step(2, 10)
