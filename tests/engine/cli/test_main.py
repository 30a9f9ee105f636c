"""The command line itself, with a real command package installed beside the built-in ones."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from sonorama import __version__
from sonorama.engine.cli.main import build_parser, main
from sonorama.engine.control.live_table import FILM

PLUGIN = """
import contextlib, pathlib, time
from sonorama.engine.errors import InputError

def add_refuse(commands):
    commands.add_parser("refuse").set_defaults(run=refuse)

def refuse(args):
    raise InputError("rain\\n\\x1b[31m.wav cannot be read", "Give another file.")

def add_boom(commands):
    commands.add_parser("boom").set_defaults(run=boom)

def boom(args):
    return {}["no such key"]

def add_wait(commands):
    parser = commands.add_parser("wait")
    parser.add_argument("folder", type=pathlib.Path)
    parser.set_defaults(run=wait)

@contextlib.contextmanager
def half_file(folder):
    part = folder / "film.part"
    part.touch()
    try:
        yield
    finally:
        time.sleep(0.5)
        part.unlink()

def wait(args):
    with half_file(args.folder):
        work(args.folder)
    return 0

def work(folder):
    (folder / "at work").touch()  # a signal from here on comes in the middle
    for _ in range(600):  # a signal just before one long sleep would be noticed after it only
        time.sleep(0.05)

def add_swallow(commands):
    parser = commands.add_parser("swallow")
    parser.add_argument("folder", type=pathlib.Path)
    parser.set_defaults(run=swallow)

def swallow(args):
    (args.folder / "film.part").touch()
    try:
        work(args.folder)
    except KeyboardInterrupt:
        raise RuntimeError("some library's own idea of an interruption") from None
"""
ENTRY_POINTS = """[sonorama.commands]
boom = storm_commands:add_boom
lost = storm_commands:add_lost
refuse = storm_commands:add_refuse
swallow = storm_commands:add_swallow
wait = storm_commands:add_wait
"""
METADATA = "Metadata-Version: 2.1\nName: storm-commands\nVersion: 1.0\n"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that other processes find the package in too."""
    folder = tmp_path / "site"
    info = folder / "storm_commands-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    (folder / "storm_commands.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


def start(*arguments: str) -> "subprocess.Popen[str]":
    program = "import sys; from sonorama.engine.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert all(f"\n    {command}" in text for command in ("hear", "parameters", "render", "worlds"))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["live", "--size", "9" * 5000 + "x2"], "... (5002 characters) is not possible"),
        (["live", "--osc-port", "9" * 5000], "... (5000 characters) is no port"),
        (["render", "x.wav", "-o", "a.mp4", "--jobs", "9" * 5000], "is no number of processes"),
        (["view", "x", "--window", "9" * 5000], "There is no window 9999"),
    ],
)
def test_options_that_are_too_long(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert line in said
    assert len(said.splitlines()) == 2
    assert len(said) < 400


def test_of_an_option_that_is_given_twice_the_last_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """A script's own options come before those that are added to its call."""
    parsed = build_parser().parse_args(["live", "--name", "a", "--sink", "null", "--name", "b", "--sink", "map"])
    assert (parsed.name, parsed.sinks) == ("b", ["null", "map"])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", [["--help"], ["render", "--help"], ["parameters"]])
def test_light_commands_import_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import atexit, sys\n"
        "from sonorama.engine.cli.main import main\n"
        "atexit.register(lambda: sys.stderr.write(' '.join(sys.modules)))\n"
        f"main({arguments!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = set(done.stderr.split())
    assert "sonorama.engine.cli.main" in modules
    heavy = {"torch", "numpy", "av", "onnxruntime", "open_clip", "PyQt6", "rich", "safetensors"}
    assert not modules & heavy


def test_installed_script_says_its_version() -> None:
    script = Path(sys.executable).with_name("sonorama")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"sonorama {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "COMMAND"),
        (["rendr"], "rendr"),
        (["--frobnicate"], "COMMAND"),
        (["worlds", "--frobnicate"], "--frobnicate"),
        (["render"], "SOUND"),
        (["render", "rain.wav"], "--out"),
        (["hear"], "SOUND"),
        (["parameters", "--json", "--markdown"], "--markdown"),
    ],
)
def test_misuse_is_two_lines(arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    what, to_do = err.splitlines()
    assert named in what
    assert to_do.startswith("See: sonorama") and to_do.endswith("--help")


def test_refusal_is_two_lines_whatever_the_name(plugin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["refuse"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-2:] == ["rain\\n\\x1b[31m.wav cannot be read", "Give another file."]


def test_debug_shows_where_a_refusal_comes_from(plugin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--debug", "refuse"], ["refuse", "--debug"]):
        assert main(arguments) == 2
        assert "storm_commands.py" in capsys.readouterr().err


def test_fault_of_the_program_is_two_lines(plugin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["boom"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-2] == "Unexpected KeyError: 'no such key'"
    assert "--debug" in lines[-1]
    assert main(["boom", "--debug"]) == 1
    assert "storm_commands.py" in capsys.readouterr().err


def test_broken_command_leaves_the_others(plugin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parameters"]) == 0
    out, err = capsys.readouterr()
    assert "/motion/coarse/amount" in out
    first, second = err.splitlines()
    assert first.startswith("The command lost does not load: AttributeError")
    assert second == "Install storm-commands again."


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", ["wait", "swallow"])
def test_signals_clean_up(plugin: Path, tmp_path: Path, command: str, number: signal.Signals, code: int) -> None:
    process = start(command, str(tmp_path))
    part = tmp_path / "film.part"
    _wait_for(tmp_path / "at work")
    assert part.exists()
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert err.splitlines()[-1] == "Stopped."
    assert "Traceback" not in err
    assert part.exists() == (command == "swallow")


def test_impatient_hand_does_not_break_the_clean_up(plugin: Path, tmp_path: Path) -> None:
    process = start("wait", str(tmp_path))
    part = tmp_path / "film.part"
    _wait_for(tmp_path / "at work")
    assert part.exists()
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert not part.exists()


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("module", ["argparse", "sonorama.engine.plugins.registry", "sonorama.engine.show.command"])
def test_ctrl_c_while_it_is_being_imported_is_one_word(module: str) -> None:
    """As the installed script does it, with a Ctrl-C at the moment that a module is looked for."""
    (script,) = entry_points(group="console_scripts", name="sonorama")
    program = f"""
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from {script.module} import {script.attr}
sys.exit({script.attr}())
"""
    command = [sys.executable, "-c", program, "live", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Stopped.\n")


def test_reader_that_leaves_is_no_fault() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    program = "import sys; from sonorama.engine.cli.main import main; sys.exit(main(['parameters']))"
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 1


MAIN = [sys.executable, "-c", "import sys; from sonorama.engine.cli.main import main; sys.exit(main(sys.argv[1:]))"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_output_that_does_not_fit_is_two_lines() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*MAIN, "parameters"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2
    assert "No space left" in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_stop_nothing(closed: str) -> None:
    line = f"{shlex.join([*MAIN, 'parameters'])} {closed}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert bool(done.stdout) == (" >&-" not in f" {closed}")
    assert subprocess.run(["sh", "-c", line.replace("parameters", "nosuch")], check=False).returncode == 2


def test_parameters_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parameters", "--json"]) == 0
    rows = {row["path"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == list(FILM)
    assert rows["/motion/coarse/inertia"]["high"] == 10.0
    assert rows["/motion/mode"]["kind"] == "choice"
