"""The log of a show: everything of all processes in one file, bounded, and nobody ever waits for it."""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonorama.engine.faults import Faults
from sonorama.engine.log import show_log
from sonorama.engine.log.children import begin, child_environment, relay
from sonorama.engine.log.records import BURST, WAITING, Allowance, parse
from sonorama.engine.log.show_log import ShowLog, log_path

log = logging.getLogger("sonorama.test")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONORAMA_LOGS", str(tmp_path / "logs"))
    return tmp_path / "logs"


@pytest.fixture
def kept() -> Iterator[list[str]]:
    """Messages of this process's log, as they reach the thread that writes."""
    told: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())

    stop = begin("test", [Kept()], logging.INFO)
    yield told
    stop()


def fail(depth: int = 3) -> None:
    if depth:
        fail(depth - 1)
    raise ValueError("no such\x1b[31m thing")


def noted() -> None:
    try:
        fail()
    except ValueError as error:
        Faults().note("paint", "A picture could not be painted", error)


def test_a_fault_leaves_its_traceback_in_the_file_and_its_line_for_the_user(folder: Path) -> None:
    faults = Faults()
    with ShowLog("night") as made:
        made.begin("sonorama 1.2: live")
        try:
            fail()
        except ValueError as error:
            faults.note("paint", "A picture could not be painted: ValueError", error)
    assert made.path == folder / "night.log" == log_path("night")
    assert faults.recent() == ["A picture could not be painted: ValueError"]
    lines = made.path.read_text().splitlines()
    heads = [line for line in lines if not line.startswith("    ")]
    assert len(heads) == 2
    assert f"INFO show[{os.getpid()}] MainThread: sonorama 1.2: live on " in heads[0]
    assert heads[1].endswith(f"ERROR show[{os.getpid()}] MainThread: A picture could not be painted: ValueError")
    assert any("raise ValueError" in line for line in lines), "source lines are in it"
    assert lines[-1] == "    ValueError: no such\\x1b[31m thing", "and nothing that commands a terminal"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_log_is_its_user_s_alone() -> None:
    with ShowLog("night") as made:
        log.info("a prompt")
    assert (made.path.stat().st_mode & 0o777, made.path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_the_exception_that_ends_a_show_and_one_of_a_thread_are_in_it() -> None:
    made = ShowLog("night")
    with pytest.raises(ValueError, match="no such"), made:
        thread = threading.Thread(target=fail, name="hands")
        thread.start()
        thread.join()
        fail()
    text = made.path.read_text()
    assert text.count("Traceback") == 2
    assert "CRITICAL" in text
    assert "The thread hands ends" in text
    assert "It ends: ValueError" in text


def test_a_storm_from_one_place_is_cut_down_and_another_place_is_still_heard(kept: list[str]) -> None:
    for _ in range(2000):
        noted()
    log.info("something else")
    pause = threading.Event()
    for _ in range(500):
        if "something else" in kept:
            break
        pause.wait(0.02)
    assert kept[0] == "A picture could not be painted"
    assert "something else" in kept
    storm = kept.count("A picture could not be painted")
    assert BURST <= storm < 200, "a few, and one a second"


def test_what_was_left_out_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("sonorama.engine.log.records.time.monotonic", lambda: now[0])
    allowance = Allowance(1.0, 2)
    assert [allowance.take() for _ in range(5)] == [0, 0, None, None, None]
    now[0] = 1.0
    assert [allowance.take() for _ in range(2)] == [3, None]


def test_whoever_logs_never_waits_for_the_disk() -> None:
    """A handler that hangs stands for the disk; the loops that log go on, and what waits for it is bounded."""
    hangs, entered = threading.Event(), threading.Event()
    written: list[str] = []

    class Disk(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            entered.set()
            hangs.wait()
            written.append(record.getMessage())

    stop = begin("test", [Disk()], logging.INFO)
    for number in range(3 * WAITING):  # each from a place of its own
        logging.getLogger(f"sonorama.test.{number}").info("%d", number)
    assert entered.wait(60)
    assert not written
    hangs.set()
    stop()
    assert 0 < len(written) <= WAITING + 2


def test_its_size_is_bounded(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(show_log, "BYTES", 20_000)
    with ShowLog("night") as made:
        for number in range(500):
            logging.getLogger(f"sonorama.test.{number}").info("%s", "x" * 1000)
    files = sorted(path.name for path in folder.iterdir())
    assert files == ["night.log", "night.log.1", "night.log.2", "night.log.3"]
    assert all(path.stat().st_size <= 20_000 for path in folder.iterdir())
    assert "x" * 1000 in made.path.read_text()


def test_a_show_without_a_log_goes_on(folder: Path) -> None:
    folder.write_text("in the way")
    with ShowLog("night") as made:
        log.error("nobody reads this")
    assert made.problem.startswith(f"No log is written: {folder}")
    assert "\n" not in made.problem


@pytest.mark.parametrize("debug", [False, True])
def test_what_the_terminal_shows(debug: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with ShowLog("night", debug=debug):
        log.info("quiet")
        log.warning("The world is new here")
        logging.getLogger("library").warning("for programmers")
        noted()
    said = capsys.readouterr().err
    assert "quiet" not in said
    assert "The world is new here" in said
    assert ("Traceback" in said, "for programmers" in said) == (debug, debug)


CHILD = """
import logging, os, sys, threading
from sonorama.engine.log.children import log_to_parent
log_to_parent("painter")
log = logging.getLogger("sonorama.child")
log.info("it begins")
log.warning("a warning")
os.write(2, b"driver: \\xff broken\\n\\n")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("it failed")
thread = threading.Thread(target=lambda: [][1], name="hands")
thread.start()
thread.join()
print("a grandchild", file=sys.stderr, flush=True)
raise LookupError("the end")
"""


def run_child(code: str, said: list[str] | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", code]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, env=child_environment())
    assert child.stderr is not None
    thread = relay(child.stderr, "child", said=said.append if said is not None else None)
    child.wait()
    thread.join()
    return child


HALF = """
import logging, os, time
from sonorama.engine.log.children import log_to_parent
stop = log_to_parent("painter")
os.write(2, b"half a line")
logging.getLogger("sonorama.child").warning("second")
stop()
os.write(2, b"\\nwhole\\n")
"""


def test_a_record_that_comes_into_the_middle_of_a_line_is_one() -> None:
    """Of a driver's, or of another process's of the child, which ends its line by a second write."""
    said: list[str] = []
    with ShowLog("night") as made:
        run_child(HALF, said)
    assert "MainThread: second" in made.path.read_text()
    assert said == ["half a line", "whole"]


def test_all_that_a_child_says_is_in_the_log_of_the_show() -> None:
    said: list[str] = []
    with ShowLog("night") as made:
        child = run_child(CHILD, said)
    text = made.path.read_text()
    assert child.returncode == 1
    assert f"INFO painter[{child.pid}] MainThread: it begins" in text
    assert f"WARNING painter[{child.pid}] MainThread: a warning" in text
    for trace in ("ZeroDivisionError: division by zero", "IndexError: list index", "LookupError: the end"):
        assert text.count(trace) == 1, trace
    assert text.count("Traceback") == 3
    assert ": driver: \N{REPLACEMENT CHARACTER} broken" in text
    assert said == ["driver: \N{REPLACEMENT CHARACTER} broken", "a grandchild"]


def test_the_last_words_of_a_child_that_crashes_are_in_it() -> None:
    with ShowLog("night") as made:
        child = run_child("from sonorama.engine.log.children import log_to_parent as f; import os; f('x'); os.abort()")
    assert child.returncode != 0
    assert "Fatal Python error: Aborted" in made.path.read_text()


def test_a_child_that_talks_without_end_fills_no_disk() -> None:
    with ShowLog("night") as made:
        child = run_child("import os\nfor n in range(20000): os.write(2, b'again %d\\n' % n)")
    assert child.returncode == 0
    assert 0 < made.path.read_text().count("again") < 2000


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"[]", b"\xff", b'{"sonorama_log": 1}', b'{"sonorama_log": {}, "trace": ""}']
)
def test_a_line_that_is_no_record_is_none(line: bytes) -> None:
    assert parse(line) is None
