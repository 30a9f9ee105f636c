"""`sonorama panel` and `sonorama view` as processes: with a virtual display, without one, with the real channel."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtGui import QColor, QImage

from sonorama.engine.cli.main import main
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.ipc.channel import ChannelClosed, Peer, Server
from sonorama.engine.ipc.frame_map import FrameMapWriter
from sonorama.engine.ipc.messages import Hello, Values

from . import scene
from .display import x_server

RUN = [sys.executable, "-c", "import sys; from sonorama.engine.cli.main import main; sys.exit(main())"]


def environment(**more: str) -> dict[str, str]:
    plain = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    return plain | more


def run(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*RUN, *arguments], env=environment(**more), capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with x_server() as name:
        yield name


@pytest.mark.parametrize("command", ["panel", "view"])
def test_without_a_display_two_lines(command: str) -> None:
    name = f"two-{os.getpid()}"
    with FrameMapWriter(name, 8, 8):
        done = run(command, name)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2 and "display" in done.stderr


def test_a_display_that_is_gone_two_lines() -> None:
    done = run("panel", "x", DISPLAY=":4711")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 2)
    assert ":4711" in done.stderr


@pytest.mark.parametrize("arguments", [("view", "nobody-here"), ("panel", "../x"), ("view", "../x")])
def test_names_that_are_none(arguments: tuple[str, ...], display: str) -> None:
    done = run(*arguments, DISPLAY=display)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 2), done.stderr


def test_a_screenshot_that_cannot_be_written(display: str, tmp_path: Path) -> None:
    done = run("panel", "x", "--screenshot", str(tmp_path / "no" / "x.png"), "--after", "0.1", DISPLAY=display)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 2), done.stderr


@pytest.mark.parametrize(
    ("variable", "scale"),
    [("QT_SCALE_FACTOR", "0"), ("QT_SCALE_FACTOR", "-1"), ("QT_SCALE_FACTOR", "nan"), ("QT_SCALE_FACTOR", "much"),
     ("QT_SCREEN_SCALE_FACTORS", "1;X-0=0")],
)  # fmt: skip
def test_a_scale_that_is_none(variable: str, scale: str, display: str, tmp_path: Path) -> None:
    """At 0 Qt fills the memory, below it the picture is empty."""
    done = run("panel", "x", "--screenshot", str(tmp_path / "x.png"), DISPLAY=display, **{variable: scale})
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 2), done.stderr
    assert variable in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("after", ["-5", "nan", "inf", "1e9", "soon"])
def test_a_wait_that_is_none(after: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--after" in refused(capsys, "panel", "x", "--screenshot", str(tmp_path / "x.png"), "--after", after)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The two lines of a command that opens no window: in this process."""
    assert main(list(arguments)) == 2
    _, err = capsys.readouterr()
    assert len(err.splitlines()) == 2, err
    return err


def test_a_screenshot_replaces_no_file_unasked(
    display: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused at once: `--after` would let it wait for an hour."""
    shot = tmp_path / "x.png"
    shot.write_text("mine")
    for command in ("panel", "view"):
        assert "--overwrite" in refused(capsys, command, "x", "--screenshot", str(shot), "--after", "3600")
    assert shot.read_text() == "mine" and list(tmp_path.iterdir()) == [shot]
    done = run("panel", "x", "--screenshot", str(shot), "--overwrite", "--after", "0.1", DISPLAY=display)
    assert done.returncode == 0, done.stderr
    assert QImage(str(shot)).width() >= 1024


def test_a_screenshot_that_goes_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in ("-", str(tmp_path)):
        refused(capsys, "panel", "x", "--screenshot", file, "--overwrite")


def test_the_panel_waits_for_a_show(display: str, tmp_path: Path) -> None:
    shot = tmp_path / "x.png"
    done = run("panel", "nobody-here", "--screenshot", str(shot), "--after", "0.5", DISPLAY=display)
    assert done.returncode == 0, done.stderr
    assert "nobody-here" in done.stderr
    assert QImage(str(shot)).width() >= 1024


def test_the_panel_of_a_running_show(display: str, tmp_path: Path) -> None:
    name, server = f"run-{os.getpid()}", Server()
    server.announce(name, {"osc_port": 9123})
    shot = tmp_path / "x.png"
    command = [*RUN, "panel", name, "--screenshot", str(shot), "--after", "3"]
    with FrameMapWriter(name, 256, 256) as frames, subprocess.Popen(command, env=environment(DISPLAY=display)) as panel:
        peers: list[Peer] = []
        while panel.poll() is None:
            for role, peer in server.accept():
                assert role == "panel"
                peer.send(Hello(name=name, frame_map=name, osc_port=9123, world="shore"))
                peer.send(Values({path: param.default for path, param in SHOW.items() if not param.event}))
                peers.append(peer)
            frames.publish(scene.pictures()[0], 0, 1)
            for peer in peers:
                with contextlib.suppress(ChannelClosed):  # it closes when its picture is taken
                    peer.send(scene.status(1))
            time.sleep(0.05)
    server.close()
    assert panel.returncode == 0 and len(peers) == 1
    image = QImage(str(shot))
    colours = {image.pixelColor(x, y).name() for x in range(0, 1280, 3) for y in range(0, 800, 3)}
    assert {"#7fd962", "#59c2ff"} <= colours  # LIVE, and modulation that moves


def test_the_view_shows_the_picture_letterboxed(display: str, tmp_path: Path) -> None:
    name, shot = f"view-{os.getpid()}", tmp_path / "x.png"
    picture = np.zeros((100, 200, 4), np.uint8)
    picture[:] = (255, 0, 0, 255)
    picture[:50] = (0, 255, 0, 255)
    with FrameMapWriter(name, 200, 100) as frames:
        frames.publish(picture, 0, 1)
        done = run("view", name, "--full-screen", "--screenshot", str(shot), "--after", "1", DISPLAY=display)
    assert done.returncode == 0, done.stderr
    image = QImage(str(shot))
    assert (image.width(), image.height()) == (1280, 800)
    seen = [image.pixelColor(640, y) for y in (10, 200, 600, 790)]
    assert seen == [QColor(c) for c in ("#000000", "#00ff00", "#ff0000", "#000000")]


def test_a_display_number_that_is_none(display: str) -> None:
    name = f"none-{os.getpid()}"
    with FrameMapWriter(name, 8, 8):
        done = run("view", name, "--display", "7", DISPLAY=display)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 2), done.stderr


def test_sigterm_ends_the_panel(display: str) -> None:
    command = [*RUN, "panel", "nobody-here"]
    with subprocess.Popen(command, env=environment(DISPLAY=display), stderr=subprocess.PIPE, text=True) as panel:
        assert panel.stderr is not None
        said = panel.stderr.readline()
        assert said.startswith("No show called nobody-here is running; the panel waits for it."), said
        time.sleep(2.5)
        assert panel.poll() is None
        panel.terminate()
        assert panel.wait(10) == 143


def test_the_ui_imports_no_torch() -> None:
    code = (
        "import importlib, pathlib, sys, sonorama.ui as ui\n"
        "names = [f.stem for f in pathlib.Path(ui.__file__).parent.glob('*.py') if f.stem != '__init__']\n"
        "assert len(names) > 20\n"
        "for name in names: importlib.import_module('sonorama.ui.' + name)\n"
        "print(*sorted({'torch', 'torchaudio', 'onnxruntime', 'openvino', 'av'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_commands_do_not_import_qt_for_help() -> None:
    code = "import sys, sonorama.ui.commands; print('PyQt6' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
