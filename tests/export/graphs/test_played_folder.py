"""An exported folder plays as the world it came from, by its own graphs; damaged ones are refused."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from sonorama.engine.errors import WorldError
from sonorama.engine.files.fingerprint import fingerprint
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.inference.graphs.frame_encoder import FRAME_CODES
from sonorama.engine.model.world_file import World, load_world

from .playing import played, sound, told


@pytest.mark.parametrize("device", ["ort", "cpu", "reference"])
def test_a_folder_plays_as_the_world_to_the_bit(
    world: World, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.setenv("SONORAMA_CACHE", str(tmp_path / "cache"))
    samples = sound(tmp_path / "noise.wav")
    pictures = played(load_world(folder), samples, 20, 24, device)
    np.testing.assert_array_equal(pictures, played(world, samples, 20, 24, device))
    assert len({picture.tobytes() for picture in pictures}) > 10
    cached = [path.name for path in (tmp_path / "cache" / "graphs").iterdir()] if device != "reference" else []
    assert len(cached) == (0 if device == "reference" else 2), "the graphs of the folder itself are played"


def test_what_plays_are_the_graphs_of_the_folder(world: World, folder: Path, tmp_path: Path) -> None:
    """With another synthesis network in the folder, honestly on its manifest, other pictures are painted."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    model, manifest = onnx.load(copy / "synthesis.onnx"), told(copy)
    for constant in model.graph.initializer:
        if len(constant.dims) == 4:
            array = onnx.numpy_helper.to_array(constant)
            constant.CopyFrom(onnx.numpy_helper.from_array(array * np.float32(1.5), constant.name))
    onnx.save(model, copy / "synthesis.onnx")
    with pytest.raises(WorldError, match=r"synthesis\.onnx is not as it was exported"):
        open_backend(load_world(copy), "ort")
    manifest["graphs"]["synthesis"] |= fingerprint(copy / "synthesis.onnx")
    (copy / "manifest.json").write_text(json.dumps(manifest))
    ws = np.zeros((world.card.num_ws, world.card.w_dim), np.float32)
    one, other = (open_backend(load_world(path), "ort").synthesize(ws) for path in (folder, copy))
    assert not np.array_equal(one, other)


def test_a_folder_whose_ears_are_of_an_earlier_version_is_refused(folder: Path, tmp_path: Path) -> None:
    """Its F_a cannot be cut into frames, and would hear others than the world does."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    model, manifest = onnx.load(copy / "sound.onnx"), told(copy)
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = ["unnamed" if name == FRAME_CODES else name for name in names]
    onnx.save(model, copy / "sound.onnx")
    manifest["graphs"]["sound"] |= fingerprint(copy / "sound.onnx")
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(WorldError, match="was exported by an earlier version"):
        open_backend(load_world(copy), "ort")


def test_folders_that_cannot_be_played_are_refused(world: World, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(WorldError, match=r"holds graphs for other programs, and no world\.safetensors"):
        load_world(tmp_path)
    (tmp_path / "world.safetensors").write_bytes((folder / "world.safetensors").read_bytes())
    manifest = told(folder)
    changes = {
        "fp16, for other programs": {"precision": "fp16"},
        "format 99": {"format_version": 99},
        "manifest.json is incomplete": {"graphs": {}},
        "manifest.json is that of another world": {"world": {"content": "0"}},
    }
    for number, (message, change) in enumerate(changes.items()):
        (tmp_path / "manifest.json").write_text(json.dumps(manifest | change))
        os.utime(tmp_path / "manifest.json", ns=(number, number))
        with pytest.raises(WorldError, match=message):
            open_backend(load_world(tmp_path), "ort")
    (tmp_path / "synthesis.onnx").touch()
    for number, text in enumerate(("{}", "[1, 2]", '{"format": "of another"}')):
        (tmp_path / "manifest.json").write_text(text)
        os.utime(tmp_path / "manifest.json", ns=(99 + number, 99 + number))
        with pytest.raises(WorldError, match=r"manifest\.json is not that of its graphs"):
            open_backend(load_world(tmp_path), "ort")
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(WorldError, match="cannot be read"):
        open_backend(load_world(tmp_path), "ort")
