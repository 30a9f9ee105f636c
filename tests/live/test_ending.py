"""How a show begins, what it refuses, and what is left of it afterwards: nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import pytest

from sonorama.engine.cli.main import main
from sonorama.engine.inference.graph_cache import graph_folder, spare_cache
from sonorama.engine.ipc.channel import session_file
from sonorama.engine.ipc.frame_map import FrameMap
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.show.status import Stats
from sonorama.engine.take.reader import read_take

from .stage import PATIENCE_S, RENDERER, LiveShow, shared_files, until

Start = Callable[..., LiveShow]


def check_gone(show: LiveShow) -> None:
    """Neither a process nor a file of it is left."""
    until(lambda: not show.children(), f"processes are left: {show.children()}")
    assert not shared_files(show.name)
    assert not session_file(show.name).exists()


@pytest.mark.parametrize(
    ("number", "code"), [pytest.param(signal.SIGINT, 130, marks=pytest.mark.soak), (signal.SIGTERM, 143)]
)
def test_a_signal_ends_it_and_everything_it_started(start: Start, number: int, code: int) -> None:
    show = start("--source", "tone")
    show.playing()
    assert show.stop(number) == code, show.output
    check_gone(show)
    assert "Stopped." in show.output
    assert "Traceback" not in show.output


def test_ctrl_c_reaches_all_of_its_processes_at_once(start: Start) -> None:
    show = start("--source", "tone", env={"DISPLAY": ":0", "QT_QPA_PLATFORM": "offscreen"})
    show.playing()
    show.wait(lambda: show.children("panel"), "no panel comes")
    os.killpg(show.process.pid, signal.SIGINT)
    assert show.process.wait(PATIENCE_S) == 130
    check_gone(show)
    assert "Traceback" not in show.output


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="a terminal can be made on Unix only")
@pytest.mark.parametrize("hup", ["play", "end"])
def test_a_terminal_that_closes(start: Start, tmp_path: Path, hup: str) -> None:
    """The show plays on, with its renderer; or it ends, and its recording and take are whole."""
    master, slave = os.openpty()
    outputs = ("--record", str(tmp_path / "x.mp4"), "--take", str(tmp_path / "t.take"))
    show = start("--source", "tone", "--hup", hup, *outputs, terminal=slave)
    os.close(slave)
    renderer = show.playing()
    show.wait((tmp_path / "x.mp4").exists, "nothing is recorded")
    begun = show.row["frame"]
    show.wait(lambda: show.row["frame"] > begun + 60, "it stands still")
    os.close(master)
    if hup == "play":
        frame = show.row["frame"]
        show.wait(lambda: show.row["frame"] > frame + 30, "it stands still")
        assert show.renderer() == renderer
        show.stop()
    assert show.process.wait(PATIENCE_S) == (129 if hup == "end" else 143)
    check_gone(show)
    assert read_take(tmp_path / "t.take").whole
    with av.open(tmp_path / "x.mp4") as film:
        assert sum(1 for _ in film.decode(video=0)) > 3  # a slow machine paints few of those frames


@pytest.mark.parametrize("after_s", [0.15, *(pytest.param(after, marks=pytest.mark.soak) for after in (0.0, 0.4))])
def test_ctrl_c_while_it_starts(start: Start, after_s: float) -> None:
    """In the middle of its imports Python would say so at length."""
    show = start("--source", "tone")
    show.renderer()
    time.sleep(after_s)
    os.killpg(show.process.pid, signal.SIGINT)
    assert show.process.wait(PATIENCE_S) == 130
    check_gone(show)
    assert "Traceback" not in show.output


def test_what_is_wrong_is_said_before_the_first_picture(start: Start, tiny_world: str, tmp_path: Path) -> None:
    """Its time begins with that picture: a first start may take longer."""
    show = start("--source", "device:nowhere", "--duration", "1", env={"SONORAMA_CACHE": str(tmp_path / "empty")})
    assert show.process.wait(PATIENCE_S) == 0
    lines = show.output.splitlines()
    missing, playing = (next(i for i, line in enumerate(lines) if part in line) for part in ("not there", "Playing"))
    assert missing < playing, lines
    assert show.rows()[-1]["frame"] > 0


def test_a_home_that_cannot_be_written_stops_nothing(start: Start, tmp_path: Path, instrument: LoadedWorld) -> None:
    """Nor a cache: graphs are made in the temporary folder. That a scene is not kept is said when it is stored."""
    (tmp_path / "home").write_text("a file, so that not even root can make folders in it")
    default = (
        "SONORAMA_CACHE",
        "SONORAMA_LOGS",
        "SONORAMA_LOOKS",
        "SONORAMA_SHOWS",
        "SONORAMA_WORLDS",
        "XDG_VIDEOS_DIR",
    )
    show = start("--source", "tone:120", env={"HOME": str(tmp_path / "home"), **dict.fromkeys(default, "")})
    try:
        show.playing()
        show.set("/scene/store", 2)
        show.wait(lambda: any("cannot be saved" in line for line in show.faults()), "the scene seems to be kept")
    finally:
        shutil.rmtree(spare_cache() / "graphs" / graph_folder(instrument.world).name, ignore_errors=True)
    show.wait(lambda: any("could not be resumed" in line for line in show.faults()), "its record seems to be kept")
    assert any("The cache folder" in line and "cannot be written" in line for line in show.faults())
    assert "No log is written" in show.output
    assert "Traceback" not in show.output
    assert show.row["restarts"] == 0


def test_a_scene_is_there_from_the_start(start: Start) -> None:
    """Events of the command line fire when it begins."""
    first = start("--source", "silence", "--set", "/look/truncation=0.25", "--set", "/scene/store=3")
    first.playing()
    first.stop()
    second = start("--source", "silence", "--set", "/scene/recall=3", name=first.name)
    second.holds("/look/truncation", 0.25)


def test_a_signal_while_the_renderer_still_loads(start: Start) -> None:
    show = start("--source", "tone")
    show.renderer()
    assert show.stop() == 143, show.output
    check_gone(show)


def test_killed_it_leaves_no_process_behind(start: Start) -> None:
    show = start("--source", "tone")
    show.playing()
    show.stop(signal.SIGKILL)
    until(lambda: not show.children(RENDERER), "the renderer outlives its show", 30.0)


def test_after_its_time_it_ends_by_itself(start: Start, tiny_world: str) -> None:
    show = start("--source", "silence", "--duration", "6")
    assert show.process.wait(PATIENCE_S) == 0
    check_gone(show)
    assert "No display: playing without a panel" in show.output
    assert "Playing: first picture after" in show.output
    rows = show.rows()
    assert len(rows) >= 3
    assert all(after["time"] - before["time"] > 0.4 for before, after in pairwise(rows)), "about one a second"
    assert set(rows[-1]) == {"time", *Stats.FIELDS}
    assert rows[-1]["fps"] > 0
    assert rows[-1]["frame"] > 0
    assert rows[-1]["renderer_pid"] > 0
    assert rows[-1]["restarts"] == 0
    assert 0 < rows[-1]["delay_ms"] < 5000
    assert all(isinstance(label, str) and 0 <= score <= 1 for label, score in rows[-1]["heard"])
    assert rows[-1]["faults"] == []


def test_whoever_started_it_may_go_away(start: Start, tmp_path: Path, tiny_world: str, instrument: object) -> None:
    """Its words go into a pipe that nobody reads any more."""
    name = f"live-{os.getpid()}-pipe"
    command = [sys.executable, "-m", "sonorama.engine.cli.main", "live", "--world", tiny_world, "--source", "silence"]
    command += ["--name", name, "--osc-port", "0", "--no-panel", "--stats", str(tmp_path / "stats")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as process:
        try:
            assert process.stderr is not None
            process.stderr.close()
            until((tmp_path / "stats").exists, "it says nothing")

            def renderer() -> int:
                lines = (tmp_path / "stats").read_text().splitlines()
                row = json.loads(lines[-1]) if lines else {}
                return row.get("renderer_pid", 0) if row.get("frame") else 0

            until(renderer, "no pictures come")
            first = renderer()
            os.kill(first, signal.SIGKILL)  # a fault, which it wants to tell
            until(lambda: renderer() not in (0, first), "no other renderer comes")
            assert process.poll() is None
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    for left in shared_files(name):
        (Path("/dev/shm") / left).unlink(missing_ok=True)  # noqa: S108


@pytest.mark.parametrize(
    "options",
    [
        ["--source", "trumpet"],
        ["--source", "file:nowhere.wav"],
        ["--source", "tone:fast"],
        ["--sink", "nowhere"],
        ["--world", "nowhere"],
        ["--set", "/look/nothing=1"],
        ["--set", "/look/seed=rain"],
        ["--size", "12"],
        ["--fps", "many"],
        ["--duration", "0"],
        ["--osc-port", "-1"],
        ["--osc-port", "70000"],
        ["--record", "/proc/film.mp4"],
        ["--sink", "images:/proc/shots"],
        ["--sink", "window"],
        ["--name", "a/b"],
        ["--osc-host", "203.0.113.7"],
        ["--osc-allow", "everybody"],
        ["--take", "/proc/take"],
        ["--stats", "/proc/stats"],
        ["--stats", "-"],
        ["--stats", "notes.txt"],
        ["--take", "-"],
        ["--record", "-"],
        ["--sink", "images:-"],
        ["--sink", "images:-.tiff16"],
    ],
    ids=lambda options: "".join(options),
)
def test_what_cannot_be_is_refused_in_two_lines(
    tmp_path: Path,
    tiny_world: str,
    options: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """In this process: it is refused before anything is started."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("[1]\nnot the show's\n")
    command = ["live", "--world", tiny_world, "--source", "silence", "--name", f"live-{os.getpid()}-no"]
    assert main([*command, "--osc-port", "0", "--no-panel", *options]) == 2
    said = capfd.readouterr().err
    assert len(said.splitlines()) == 2, said
    assert (tmp_path / "notes.txt").read_text() == "[1]\nnot the show's\n"
    assert not (tmp_path / "-").exists()
    assert not shared_files(f"live-{os.getpid()}-no")


def test_a_world_that_turns_out_to_be_damaged(start: Start, tmp_path: Path, tiny_world: str) -> None:
    """Its card is well, so only the renderer finds out."""
    data = bytearray(Path(tiny_world).read_bytes())
    data[-1000:-996] = b"oops"
    (tmp_path / "bad.safetensors").write_bytes(data)
    show = start("--source", "silence", world=str(tmp_path / "bad.safetensors"))
    assert show.process.wait(PATIENCE_S) == 2
    said = show.output.splitlines()
    assert "bad.safetensors" in said[-2], said
    check_gone(show)


def test_two_of_one_name_and_of_one_port(start: Start) -> None:
    first = start("--source", "silence")
    first.playing()
    port = first.session()["osc_port"]
    second = start("--source", "silence", name=first.name)
    assert second.process.wait(PATIENCE_S) == 2
    assert "already running" in second.output
    other = start("--source", "silence", "--osc-port", str(port))
    assert port < other.session()["osc_port"] <= port + 20
    other.set("/look/seed", 5)
    first.set("/look/seed", 6)
    other.holds("/look/seed", 5)
    first.holds("/look/seed", 6)
    with FrameMap(first.name) as seen:
        count = seen.count
        first.wait(lambda: seen.count > count + 10, "the first one stands still")
    assert first.row["restarts"] == 0


def test_a_show_goes_on_under_the_name_of_a_killed_one(start: Start) -> None:
    first = start("--source", "tone")
    first.playing()
    with FrameMap(first.name) as reader:
        before = reader.count
        first.stop(signal.SIGKILL)
        left = shared_files(first.name)
        assert {f"sonorama-{first.name}", f"sonorama-{first.name}.samples"} <= set(left)
        assert session_file(first.name).exists()
        second = start("--source", "tone", name=first.name)
        second.playing()
        second.wait(lambda: reader.count > before + 20, "a reader of the old one does not find the new one")
        assert reader.owner_alive()
    second.set("/look/seed", 9)
    second.holds("/look/seed", 9)
    assert second.stop() == 143
    check_gone(second)
