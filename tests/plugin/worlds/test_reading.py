"""StyleGAN files are read as data: what they hold arrives whole, and nothing that they name is run."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch

from sonorama.engine.errors import WorldError
from sonorama.plugin.worlds import pickle_reader, reading
from sonorama.plugin.worlds.reading_child import read_network

from . import hostile, nvidia_files, stylegan3_files


def same_tensors(path: Path, network: torch.nn.Module) -> dict[str, dict[str, Any]]:
    found, state = read_network(path), network.state_dict()
    assert found.tensors.keys() == state.keys()
    assert all((found.tensors[name] == state[name].numpy()).all() for name in state)
    return found.settings


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_every_tensor_and_setting_arrives(tmp_path: Path, protocol: int) -> None:
    g = nvidia_files.generator(size=32, layers=2)
    settings = same_tensors(nvidia_files.write(tmp_path / "g.pkl", g, protocol), g)
    assert settings[""]["_init_kwargs"]["mapping_kwargs"] == {"num_layers": 2}
    assert settings["mapping.fc0"]["weight_gain"] == pytest.approx(0.01 / 32**0.5)
    assert settings["synthesis.b8.conv0"]["conv_clamp"] == 256


def test_stylegan3_arrives_as_data(tmp_path: Path) -> None:
    g = stylegan3_files.generator()
    settings = same_tensors(nvidia_files.write(tmp_path / "g.pkl", g), g)
    assert settings["synthesis.input"]["size"] == [36, 36]
    assert settings["synthesis.input"]["sampling_rate"] == 16


def test_half_precision_slices_and_shared_storages(tmp_path: Path) -> None:
    g: Any = nvidia_files.generator(size=32, layers=1)
    g.mapping.w_avg = torch.arange(96.0).half()[::4]
    g.synthesis.b4.const = torch.nn.Parameter(torch.randn(4, 4, 16).permute(2, 0, 1))
    g.synthesis.b8.torgb.bias = g.synthesis.b4.torgb.bias
    same_tensors(nvidia_files.write(tmp_path / "g.pkl", g), g)


def test_rosinality_arrives(tmp_path: Path) -> None:
    content = nvidia_files.rosinality(nvidia_files.generator(size=32, layers=1))
    torch.save(content, tmp_path / "g.pt")
    found = read_network(tmp_path / "g.pt")
    assert found.tensors.keys() == content["g_ema"].keys() | {"latent_avg"}
    assert (found.tensors["convs.0.conv.weight"] == content["g_ema"]["convs.0.conv.weight"].numpy()).all()


def test_other_projects_are_named(tmp_path: Path) -> None:
    r3gan = nvidia_files.generator(size=32, layers=1)
    r3gan.source = "import R3GAN.Networks"
    files = {
        "TensorFlow": b"\x80\x03cdnnlib.tflib.network\nNetwork\n)\x81.",
        "R3GAN": nvidia_files.pickled(nvidia_files.snapshot(r3gan)),
        "R3GAN network": b"\x80\x04cR3GAN.Networks\nGenerator\n)\x81.",
        "no generator G_ema": nvidia_files.pickled({"detector": nvidia_files.EasyDict(a=1)}),
        "no generator g_ema": b"",
    }
    torch.save({"state_dict": {"a": torch.zeros(1)}}, tmp_path / "no generator g_ema")
    for name, content in files.items():
        path = tmp_path / name
        if content:
            path.write_bytes(content)
        with pytest.raises(WorldError, match=name):
            read_network(path)


def read_hostile(folder: Path, files: Iterable[tuple[str, bytes]]) -> dict[str, dict[str, Any]]:
    folder.mkdir()
    for name, content in files:
        (folder / name).write_bytes(content)
    done = subprocess.run([sys.executable, hostile.__file__, folder], capture_output=True, text=True, check=False)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == len(list(folder.iterdir())), (done.stdout[-300:], done.stderr[-1000:])
    assert [row for row in rows if row["events"]] == []
    assert max(row["peak"] for row in rows) < reading.MEMORY  # what it may use at most; torch takes most of it
    assert not (folder.parent / "marker").exists()
    return {row["file"]: row for row in rows}


def good_file() -> bytes:
    return nvidia_files.pickled(nvidia_files.snapshot(nvidia_files.generator(size=8, base=64, most=4, layers=1)))


def test_nothing_of_a_hostile_file_runs(tmp_path: Path) -> None:
    good = good_file()
    corpus = dict(hostile.callables(tmp_path / "marker")) | dict(hostile.costly()) | {"good": good}
    corpus |= dict(hostile.truncated(good, 20)) | dict(hostile.mutated(good, 300))
    rows = read_hostile(tmp_path / "files", corpus.items())
    assert rows["good"]["outcome"] == "read"
    unharmed = {"good", "source_only"} | {name for name in corpus if name.startswith("mutation")}
    assert [name for name, row in rows.items() if row["outcome"] == "read" and name not in unharmed] == []
    assert "os.system, which no StyleGAN network needs" in rows["global_reduce"]["outcome"]
    assert sum(row["outcome"] != "read" for name, row in rows.items() if name.startswith("mutation")) > 100


@pytest.mark.soak
def test_5000_mutations(tmp_path: Path) -> None:
    rows = read_hostile(tmp_path / "files", hostile.mutated(good_file(), 5000))
    assert sum(row["outcome"] != "read" for row in rows.values()) > 2000


def test_the_test_would_see_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it names in the table the same file does leave its mark."""
    monkeypatch.setattr(pickle_reader, "KNOWN", {**pickle_reader.KNOWN, ("os", "system"): os.system})
    data = dict(hostile.callables(tmp_path / "marker"))["global_reduce"]
    pickle_reader.Unpickler(io.BytesIO(data), "a.pkl").load()
    assert (tmp_path / "marker").exists()


def test_a_child_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SECONDS", 0.0)
    (tmp_path / "good.pkl").write_bytes(good_file())
    with pytest.raises(WorldError, match=r"good\.pkl: reading it took too much memory or time"):
        reading.read_generator(tmp_path / "good.pkl")


def test_a_child_that_uses_too_much_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MEMORY", 0)
    monkeypatch.setattr(reading, "COPIES", 0)
    (tmp_path / "good.pkl").write_bytes(good_file())
    with pytest.raises(WorldError, match="took too much memory or time"):
        reading.read_generator(tmp_path / "good.pkl")
