"""The window on a chosen display: a real X server, whose memory is looked into."""

import gc
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.frame_map import FrameMapWriter
from sonorama.engine.ipc.shared_paths import process_lives
from sonorama.engine.plugins.interfaces import Available, Missing, SinkEnded
from sonorama.engine.show.sink_runner import SinkRunner
from sonorama.plugin.sinks import child, window
from sonorama.plugin.sinks.window import WindowSink

from .sinks import info, picture, until

GREEN, RED = (0, 255, 0), (255, 0, 0)


@dataclass(frozen=True)
class Screens:
    """An X server with two displays side by side, 640x400 and 320x400."""

    name: str
    memory: Path

    def shot(self, display: int) -> np.ndarray:
        """What is on a display: uint8 [H,W,3]. The server keeps it as a file in the form of xwd."""
        data = self.memory.read_bytes()
        head = struct.unpack(">25I", data[:100])
        width, height, stride, colours = head[4], head[5], head[12], head[19]
        rows = np.frombuffer(data, np.uint8, height * stride, head[0] + 12 * colours).reshape(height, stride)
        whole = rows[:, : width * 4].reshape(height, width, 4)[..., 2::-1]
        return whole[:, 640:] if display else whole[:, :640]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screens]:
    folder = tmp_path_factory.mktemp("screens")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "960x400x24", "-nolisten", "tcp", "-noreset"]
    process = subprocess.Popen([*command, "-fbdir", str(folder)], pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as pipe:
        name = f":{int(pipe.readline())}"
    for monitor in (["left", "640/169x400/106+0+0", "screen"], ["right", "320/85x400/106+640+0", "none"]):
        subprocess.run(["xrandr", "--display", name, "--setmonitor", *monitor], check=True, capture_output=True)
    yield Screens(name, folder / "Xvfb_screen0")
    process.terminate()
    process.wait()


@pytest.fixture
def screens(server: Screens, monkeypatch: pytest.MonkeyPatch) -> Screens:
    monkeypatch.setenv("DISPLAY", server.name)
    for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(child, "PAUSE_S", 0.1)
    return server


class Stage:
    """A show's frame map, half green and half red, and a sink that is given pictures for it."""

    def __init__(self, argument: str) -> None:
        self.name = f"window-{os.getpid()}-{time.monotonic_ns()}"
        self.map = FrameMapWriter(self.name, 64, 40)
        halves = np.zeros((40, 64, 4), np.uint8)
        halves[:20], halves[20:] = (*GREEN, 255), (*RED, 255)
        self.map.publish(halves, 0, 1)
        self.sink = WindowSink(argument)
        self.runner = SinkRunner("window", lambda: self.sink, info(self.name, 64, 40))
        self.runner.start()
        self.tick = 0

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        assert self.runner.close(20)
        self.map.close()

    def turn(self) -> bool:
        """One tick of the show. True, so that it can stand in a condition."""
        self.tick += 1
        self.map.heartbeat()
        self.runner.offer(picture(self.tick, 64, 40))
        time.sleep(0.02)
        return True

    def shows(self, screens: Screens, display: int) -> bool:
        shot = screens.shot(display)
        high, wide = shot.shape[0] // 2, shot.shape[1] // 2
        # In the middle of each half; the rest may be bars, the edge between them is smoothed.
        return tuple(shot[high - 60, wide]) == GREEN and tuple(shot[high + 60, wide]) == RED


def test_it_fills_a_display_comes_back_and_goes(screens: Screens) -> None:
    with Stage("") as stage:
        until(lambda: stage.turn() and stage.shows(screens, 0), 60)
        assert stage.runner.about == "display 0"
        shot = screens.shot(0)
        assert tuple(shot[0, 0]) == GREEN and tuple(shot[-1, -1]) == RED, "64:40 fills 640:400 to the corners"
        first = stage.sink.pid
        os.kill(first, signal.SIGKILL)
        until(lambda: stage.turn() and stage.sink.pid not in (0, first), 60)
        until(lambda: not process_lives(first))
        until(lambda: stage.turn() and stage.shows(screens, 0), 60)
        assert stage.runner.about == "display 0, restarts: 1"
        second = stage.sink.pid
        stage.map.resize(32, 32)  # another size: the window stays
        grey = np.full((32, 32, 4), 99, np.uint8)
        stage.map.publish(grey, 0, 2)
        stage.runner.offer(picture(0, 32, 32))
        until(lambda: stage.turn() and tuple(screens.shot(0)[200, 320]) == (99, 99, 99), 60)
        assert stage.sink.pid == second
        assert stage.runner.faults() == []
    assert not process_lives(second)


def test_it_takes_the_display_that_was_chosen(screens: Screens) -> None:
    with Stage("1") as stage:
        until(lambda: stage.turn() and stage.shows(screens, 1), 60)
        assert not screens.shot(0)[:, :400].any(), "left of the mouse pointer nothing is drawn on the other one"


def test_a_display_that_is_pulled_takes_its_window_along(server: Screens, screens: Screens) -> None:
    xrandr = ["xrandr", "--display", server.name]
    with Stage("1") as stage:
        until(lambda: stage.turn() and stage.shows(screens, 1), 60)
        pid = stage.sink.pid
        for _ in range(2):
            subprocess.run([*xrandr, "--delmonitor", "right"], check=True, capture_output=True)
            until(lambda: stage.turn() and not screens.shot(1).any(), 60)
            assert not screens.shot(0)[:, :400].any(), "left of the mouse pointer nothing is drawn on the other one"
            monitor = ["right", "320/85x400/106+640+0", "none"]
            subprocess.run([*xrandr, "--setmonitor", *monitor], check=True, capture_output=True)
            until(lambda: stage.turn() and stage.shows(screens, 1), 60)
        assert stage.sink.pid == pid, "it is the same window"


def test_a_display_that_is_not_there_is_said(screens: Screens) -> None:
    with Stage("7") as stage:
        until(lambda: stage.turn() and not stage.runner.alive, 90)
        assert stage.runner.faults() == ["window is switched off: There is no display 7"]


def test_it_leaves_with_a_show_that_is_killed(screens: Screens) -> None:
    code = (
        "import sys\nfrom fractions import Fraction\nfrom sonorama.engine.plugins.interfaces import StreamInfo\n"
        "from sonorama.plugin.sinks.window import WindowSink\n"
        "sink = WindowSink(''); sink.open(StreamInfo(sys.argv[1], 64, 40, Fraction(30)))\n"
        "print(sink.pid, flush=True); sys.stdin.read()\n"
    )
    with Stage("") as stage:
        command = [sys.executable, "-c", code, stage.name]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as show:
            assert show.stdout is not None
            pid = int(show.stdout.readline())
            until(lambda: stage.shows(screens, 0), 60)
            show.kill()
        until(lambda: not process_lives(pid))


def fake(monkeypatch: pytest.MonkeyPatch, code: str) -> WindowSink:
    """A sink whose window is another program."""
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(window, "_CHILD", code)
    monkeypatch.setattr(child, "PAUSE_S", 0.0)
    sink = WindowSink("")
    sink.open(info("nobody"))
    return sink


def pump(sink: WindowSink) -> None:
    """Pictures until it raises."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        sink.send(picture(0))
        time.sleep(0.005)


def test_a_window_that_was_closed_by_hand_stays_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = fake(monkeypatch, "")
    with pytest.raises(SinkEnded, match="was closed") as caught:
        pump(sink)
    assert caught.value.hint == "Open it again: sonorama view nobody --full-screen --display 0"
    assert sink.pid == 0
    sink.close()


def test_one_that_dies_at_once_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = fake(monkeypatch, "import sys; sys.stderr.write('talk\\nWhat is wrong\\nWhat to do\\n'); sys.exit(2)")
    with pytest.raises(SinkEnded) as caught:
        pump(sink)
    sink.close()
    assert (caught.value.message, caught.value.hint) == ("What is wrong", "What to do")
    sink = fake(monkeypatch, "import os; os.abort()")
    with pytest.raises(SinkEnded, match=r"crashed \(exit code -6\)"):
        pump(sink)
    sink.close()


def test_one_that_does_not_listen_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(child, "END_S", 0.2)
    done = tmp_path / "done"
    sink = fake(
        monkeypatch,
        f"import pathlib, signal, sys, time; signal.signal(15, signal.SIG_IGN); sys.stderr.write('x' * 200 + chr(10));"
        f"[sys.stderr.write('y' * 99 + chr(10)) for _ in range(9999)]; pathlib.Path({str(done)!r}).touch();"
        "time.sleep(600)",
    )
    until(done.exists)
    pid = sink.pid
    sink.send(picture(0))
    assert process_lives(pid)
    sink.close()
    assert not process_lives(pid)
    sink.close()


def test_a_display_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    said: list[list[str]] = []
    monkeypatch.setattr(window, "KeptChild", lambda _code, command, _source: said.append(command))
    sink = WindowSink("DELL U2720Q")
    sink.open(info("nobody"))
    assert said == [["view", "nobody", "--full-screen", "--display", "DELL U2720Q"]]
    window.WindowSink._all.discard(sink)


def test_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    missing = window.probe()
    assert isinstance(missing, Missing) and "no display" in missing.reason
    monkeypatch.setenv("DISPLAY", ":0")
    assert isinstance(window.probe(), Available)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    missing = window.probe()
    assert isinstance(missing, Missing) and "PyQt6" in missing.reason


def test_each_window_of_a_show_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(window, "_CHILD", "import sys; sys.stdin.read()")
    gc.collect()  # what tests before have left
    sinks = [WindowSink(str(display)) for display in range(window.WINDOWS)]
    assert [sink.number for sink in sinks] == list(range(1, window.WINDOWS + 1))
    with pytest.raises(SonoramaError, match="at most"):
        WindowSink("")
    for sink in sinks[:2]:
        sink.open(info("nobody"))
    assert (sinks[0].about, sinks[1].about) == ("display 0", "display 1 (/window/2/)")
    assert sinks[1]._command[-2:] == ["--window", "2"] and "--window" not in sinks[0]._command
    sinks[1].close()
    assert WindowSink("").number == 2, "free again"
    for number in (0, 2, 3):
        sinks[number].close()
