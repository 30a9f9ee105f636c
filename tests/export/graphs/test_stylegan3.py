"""A StyleGAN3 world as ONNX graphs: pictures are those of torch, shifted and turned or not, and the folder plays."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import World, load_world
from sonorama.export.graphs.build import GraphWriter
from sonorama.export.graphs.parity import HALF_LIMIT_DB, Reference, check, compare_graph
from sonorama.export.graphs.runtimes import in_onnxruntime, runtimes

from ...worlds import write_world
from .conftest import STYLEGAN3
from .playing import told


@pytest.mark.parametrize(("half", "opset"), [(False, 20), (True, 18), (True, 24)])
def test_pictures_are_those_of_torch(world3: World, tmp_path: Path, half: bool, opset: int) -> None:
    (graph,) = (one for one in GraphWriter(world3, tmp_path, half, opset).write() if one.name == "synthesis")
    cases = Reference(world3).cases(graph)
    assert any(inputs["placement"].any() for inputs, _ in cases) and not all(i["placement"].all() for i, _ in cases)
    for name, open_graph in runtimes().items():
        for row in compare_graph(graph, cases, open_graph(tmp_path / "synthesis.onnx"), name):
            check(row, half)
            assert row.psnr_db is not None and row.psnr_db > HALF_LIMIT_DB + 10


def test_three_by_three_convolutions_in_half_precision(tmp_path: Path) -> None:
    """Configuration T."""
    write_world(tmp_path / "t.safetensors", generator=replace(STYLEGAN3, kernel=3, radial=False))
    world = load_world(tmp_path / "t.safetensors")
    (graph,) = (one for one in GraphWriter(world, tmp_path, True, 20).write() if one.name == "synthesis")
    run = in_onnxruntime(tmp_path / "synthesis.onnx")
    for row in compare_graph(graph, Reference(world).cases(graph), run, "ONNX Runtime"):
        check(row, half=True)


@pytest.mark.parametrize("device", ["ort", "cpu", "reference"])
def test_a_folder_paints_as_the_world_to_the_bit(world3: World, folder3: Path, device: str) -> None:
    one, other = (open_backend(world, device) for world in (world3, load_world(folder3)))
    codes = np.random.default_rng(1).standard_normal((world3.card.painted_rows, world3.card.w_dim)).astype(np.float32)
    for ws in (codes, codes[:-1]):  # the last row is the placement
        np.testing.assert_array_equal(one.synthesize(ws), other.synthesize(ws))
    assert np.abs(one.synthesize(codes) - one.synthesize(codes[:-1])).max() > 0.1


def test_the_manifest_says_how_pictures_are_placed(folder3: Path) -> None:
    manifest = told(folder3)
    (placement,) = (port for port in manifest["graphs"]["synthesis"]["inputs"] if port["name"] == "placement")
    assert (placement["shape"], placement["default"]) == ([1, 3], 0.0)
    found = {one["path"]: one["index"] for one in manifest["parameters"] if one["input"] == "placement"}
    assert found == {"/look/shift_x": 0, "/look/shift_y": 1, "/look/turn": 2}
