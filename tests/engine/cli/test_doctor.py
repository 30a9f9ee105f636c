"""The doctor: what each check says where something is missing, and that no check can stop or break it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from sonorama.engine.cli import checks, doctor
from sonorama.engine.cli.doctor import Finding, as_text, can_run, run_check
from sonorama.engine.cli.main import main
from sonorama.engine.inference import backend, graph_cache, openvino_backend
from sonorama.engine.ipc import frame_map, shared_paths
from sonorama.engine.ipc.frame_map import FrameMapTaken
from sonorama.engine.model import world_file
from sonorama.engine.osc import server as osc
from sonorama.engine.plugins import survey
from sonorama.export import checks as export_checks

GOOD = {name: [Finding(name, True, needed=True)] for name in doctor.NEEDED}
Put = Callable[[str, str], None]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts a module on the path of child processes."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(name: str, code: str) -> None:
        (tmp_path / f"{name}.py").write_text(code)

    return write


def check(value: str, name: str = "extra", timeout: float = 60.0) -> list[Finding]:
    return run_check(name, EntryPoint(name, value, "sonorama.checks"), timeout)


def lost(findings: list[Finding]) -> dict[str, str]:
    """What is missing, and how to get it."""
    return {one.what: one.how_to_get for one in findings if not one.ok}


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import time\ndef ask(): time.sleep(600)", "it did not answer within 1 s"),
        ("import time\ntime.sleep(600)", "it did not answer within 1 s"),
        ("import os\ndef ask(): os.abort()", "ended without an answer (signal 6)"),
        ("import os\ndef ask(): os._exit(3)", "ended without an answer (exit code 3)"),
        ("def ask(): raise SystemExit(2)", "fails: SystemExit: 2"),
        ("def ask(): raise RuntimeError('no\\n driver')", "fails: RuntimeError: no driver"),
        ("raise ImportError('libfoo.so')", "fails: ImportError: libfoo.so"),
        ("", "fails: AttributeError"),
        ("def ask(): return None", "fails: TypeError"),
        ("def ask(): return ['fine']", "fails: AttributeError"),
        ("def ask(): return 7", "fails: TypeError"),
    ],
)
def test_a_check_that_fails_is_a_finding(put: Put, code: str, why: str) -> None:
    put("bad", code)
    (finding,) = check("bad:ask", timeout=1.0 if "sleep" in code else 60.0)
    assert finding.about.startswith(why)
    assert not finding.ok and not finding.needed and finding.how_to_get
    assert finding.state == ("time-out" if "sleep" in code else "broken")
    assert doctor._failed("frames", why).needed


def test_what_a_driver_prints_is_no_answer(put: Put) -> None:
    put(
        "loud",
        """
import os
from sonorama.engine.cli.doctor import Finding
def ask():
    print("[]"); os.write(1, b"hello"); os.write(2, b"hello")
    return [Finding("thing", True, "\\ud800 \\u00e9", "nothing to do"), Finding("other", False, "gone", "get it")]
""",
    )
    assert check("loud:ask") == [
        Finding("thing", True, "\ud800 é"), Finding("other", False, "gone", "get it"),
    ]  # fmt: skip


def test_the_verdict() -> None:
    assert can_run(GOOD)
    assert can_run(GOOD | {"cuda": [Finding("CUDA", False)]})
    assert not can_run({}) and not can_run({name: [] for name in doctor.NEEDED})
    for name in doctor.NEEDED:
        assert not can_run({other: found for other, found in GOOD.items() if other != name})
        assert not can_run(GOOD | {name: run_check(name, None, 1.0)})


def test_the_text_says_how_to_get_it_and_keeps_its_lines() -> None:
    text = as_text(GOOD | {"worlds": [Finding("worlds", False, "none in\n/x", "Install\x1b[2J it.", True)]})
    assert text.splitlines()[-1] == "No show can run here: worlds."
    assert "missing    worlds    none in\\n/x" in text and "Install\\x1b[2J it." in text
    assert as_text(GOOD).endswith("\n\nA show can run here.\n")


def test_this_machine_can_run_a_show(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The needed checks as installed, in real children; a plug-in that hangs is said, and harms nothing."""
    found = {name: point for name, point in doctor.find_used(doctor.CHECKS).items() if name in doctor.NEEDED}
    monkeypatch.setattr(doctor, "find_used", lambda kind: found)
    hung = survey.Plugin("sonorama.sinks", "ndi", "x", "1", "x:X", "time-out", "its probe does not answer", "Wait.")
    monkeypatch.setattr(survey, "survey", lambda kinds, timeout: [hung])
    assert main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["can_run"] is True
    assert list(told["checks"]) == [*doctor.NEEDED, "sound sources", "sinks"]
    assert told["checks"]["sinks"] == [
        {
            "what": "ndi",
            "ok": False,
            "about": "its probe does not answer",
            "how_to_get": "Wait.",
            "needed": False,
            "state": "time-out",
        }
    ]
    assert main(["doctor"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "its probe does not answer" in line]
    assert line.split()[:2] == ["time-out", "ndi"]
    assert "shore" in {one["what"] for one in told["checks"]["worlds"]}


def test_a_machine_that_lacks_nearly_everything(put: Put, tmp_path: Path) -> None:
    """The whole command, with modules in the way of the real ones: it ends, says what is missing and exits with 1."""
    for name in ("onnxruntime", "openvino", "sounddevice", "soundcard", "PyQt6"):
        put(name, f"raise ImportError('no {name} here')")
    env = os.environ | {"SONORAMA_CACHE": str(tmp_path), "TMPDIR": str(tmp_path), "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    code = "import sys; from sonorama.engine.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "doctor"], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "No show can run here: ONNX Runtime."
    for what in ("ONNX Runtime", "OpenVINO", "Qt", "device", "loopback"):
        assert any(line.split("  ")[1:2] == ["missing"] and what in line for line in lines), what
    assert any("ok" in line and "frame map" in line for line in lines)
    assert any("shore" in line and "made at its first start" in line for line in lines)


def test_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [
        "numpy>=2", "av<1", "sonorama-nothing", "also-nothing; sys_platform == 'amiga'", "timm; extra == 'training'",
    ]  # fmt: skip
    monkeypatch.setattr(checks, "requires", lambda name: asked)
    findings = checks.python()
    assert lost(findings).keys() == {"packages", "av", "sonorama-nothing"}
    assert all(one.about for one in findings)
    monkeypatch.undo()
    assert lost(checks.python()) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model name\t: A B\nflags\t\t: fpu avx2 avx512f amx_bf16\n", "A B, AVX2, AVX-512, bf16 by AMX"),
        ("processor : 0\nFeatures : fp asimd\n", "NEON"),
        ("", ""),
        ("\xff\xfe\0", ""),
    ],
)
def test_processors(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "cpuinfo").write_text(text, "latin-1")
    first = checks.processor(tmp_path / "cpuinfo")[0]
    assert first.ok and first.about.endswith(words) and "core" in first.about
    assert checks.processor(tmp_path / "nothing")[0].ok


def test_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lost(checks.networks()).keys() <= {"fast precision"}
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    found = checks.networks()
    assert {one.what: one.needed for one in found} == {"ONNX Runtime": True, "OpenVINO": False, "torch": False}
    assert lost(found).keys() == {"ONNX Runtime", "OpenVINO", "torch"} and all(lost(found).values())


@pytest.mark.parametrize(
    ("formats", "about"),
    [(("bf16", "f16"), "bf16 or f16 on the CPU"), ((), "the processor has no bf16 or f16 arithmetic")],
)
def test_whether_the_processor_can_paint_fast(
    monkeypatch: pytest.MonkeyPatch, formats: tuple[str, ...], about: str
) -> None:
    monkeypatch.setattr(openvino_backend, "fast_formats", lambda: formats)
    (found,) = [one for one in checks.networks() if one.what == "fast precision"]
    assert (found.ok, found.about, found.needed) == (bool(formats), about, False)


def test_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "cuda_available", lambda: False)
    assert "nvidia-smi" in lost(checks.cuda())["CUDA"]
    device = types.SimpleNamespace(name="NVIDIA H100", total_memory=80 << 30)
    cuda = types.SimpleNamespace(device_count=lambda: 2, get_device_properties=lambda number: device)
    torch = types.SimpleNamespace(cuda=cuda, version=types.SimpleNamespace(cuda="12.8"))
    monkeypatch.setattr(backend, "cuda_available", lambda: True)
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert checks.cuda() == [Finding("CUDA", True, "NVIDIA H100 with 80 GB, NVIDIA H100 with 80 GB; CUDA 12.8")]


def test_worlds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SONORAMA_CACHE", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (shore,) = [one for one in checks.worlds() if one.what == "shore"]
    assert shore.ok and "made at its first start" in shore.about
    card = next(card for card in world_file.list_worlds() if card.name == "shore")
    graph_cache.graph_folder(world_file.World(card, {})).mkdir(parents=True)
    assert any("its graphs are ready" in one.about for one in checks.worlds())
    monkeypatch.setattr(world_file, "INSTALLED", tmp_path)
    monkeypatch.setenv("SONORAMA_WORLDS", "")
    (none,) = checks.worlds()
    assert not none.ok and none.needed and str(tmp_path) in none.about


def test_the_frame_map(monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(shared_paths.shared_folder().glob("sonorama-doctor-*"))
    works, room = checks.frames()
    assert works.ok and works.needed and not room.needed
    assert set(shared_paths.shared_folder().glob("sonorama-doctor-*")) <= before, "it leaves nothing behind"
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: types.SimpleNamespace(free=64 << 20))
    assert "--shm-size" in lost(checks.frames())["room in it"]
    assert not checks.frames()[1].needed
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: types.SimpleNamespace(free=1 << 20))
    assert checks.frames()[1].needed, "no show can start in one megabyte"

    def refuse(*_: object) -> None:
        raise FrameMapTaken("it cannot be made", "hint")

    monkeypatch.setattr(frame_map, "FrameMapWriter", refuse)
    works = checks.frames()[0]
    assert (works.ok, works.needed, works.about) == (False, True, "it cannot be made")


def test_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener,
    ):
        for one, name in ((udp, "PORT"), (listener, "PORT_OUT")):
            one.bind(("127.0.0.1", 0))
            monkeypatch.setattr(osc, name, one.getsockname()[1])
        taken = checks.ports()
    assert [one.ok for one in taken] == [False, True]
    assert taken[1].about == "a program listens here"
    assert "next free one" in taken[0].how_to_get
    assert [one.about.split(":")[0] for one in checks.ports()] == ["free"] * 2


def test_shows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert [one.about for one in checks.shows()] == ["none"]
    folder = shared_paths.runtime_folder()
    (folder / "night.json").write_text(json.dumps({"pid": os.getpid(), "port": 1, "osc_port": 9126}))
    (folder / "dead.json").write_text(json.dumps({"pid": 0}))
    for number, text in enumerate(("{", "[]", '{"pid": "x"}', '{"pid": []}', '{"pid": 1e999}')):
        (folder / f"odd{number}.json").write_text(text)
    assert checks.shows() == [Finding("night", True, f"process {os.getpid()}, OSC port 9126")]


def test_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.sys, "platform", "linux")
    monkeypatch.setattr(checks, "LIBRARIES", {"libnothing.so.9": ("nothing", "libnothing9")})
    assert checks.libraries() == [
        Finding("libnothing.so.9", False, "missing, for nothing", "On Debian and Ubuntu: apt-get install libnothing9")
    ]
    monkeypatch.setattr(checks.sys, "platform", "darwin")
    assert checks.libraries() == []


def test_encoders(monkeypatch: pytest.MonkeyPatch) -> None:
    import av.codec

    assert lost(export_checks.video()) == {}
    monkeypatch.setattr(av.codec, "codecs_available", {"libx264"})
    missing = lost(export_checks.video())
    assert "prores-422hq" in missing and "h264" not in missing and all(missing.values())


def test_displays(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a child, as always: Qt allows one application a process, and ends one that it dislikes."""
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert [(one.what, one.ok) for one in check("sonorama.ui.checks:windows")] == [("Qt", True), ("displays", True)]
    monkeypatch.delenv("QT_QPA_PLATFORM")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if sys.platform.startswith("linux"):
        assert "DISPLAY" in lost(check("sonorama.ui.checks:windows"))["displays"]
