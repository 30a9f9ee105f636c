"""Early exit of the backends on the CPU: the picture of the last block but one, enlarged, of the same size as ever."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sonorama.engine.errors import WorldError
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.inference.early_exit import early_graph
from sonorama.engine.inference.graph_cache import ready_graphs
from sonorama.engine.inference.precision import NoFastPrecision, can_paint, open_in, precision_of
from sonorama.engine.model.build import build_networks
from sonorama.engine.model.generator_fused import FusedSynthesis
from sonorama.engine.model.stylegan3_config import StyleGAN3Config
from sonorama.engine.model.world_file import World, load_world

from ...worlds import write_world

EARLY = "exact, early exit"


@pytest.fixture(scope="module")
def world(tiny_world: str) -> World:
    return load_world(tiny_world)


@pytest.mark.parametrize("device", ["cpu", "ort"])
def test_it_is_what_the_reference_paints_without_its_last_block(world: World, device: str) -> None:
    ws = np.random.default_rng(3).standard_normal((world.card.num_ws, world.card.w_dim)).astype(np.float32)
    with torch.inference_mode():
        fused = FusedSynthesis(build_networks(world).generator.stylegan2, early_exit=True)
        expected = fused(torch.from_numpy(ws)[None])[0].permute(1, 2, 0).numpy()
    backend = open_backend(world, device)
    early = open_in(backend, EARLY)
    assert precision_of(early) == EARLY
    np.testing.assert_allclose(early.synthesize(ws), expected, atol=1e-4)
    np.testing.assert_array_equal(early.synthesize(ws), early.synthesize(ws))
    assert np.abs(expected - backend.synthesize(ws)).max() > 0.01


def test_half_of_the_operations_are_gone(world: World) -> None:
    path = ready_graphs(world) / "synthesis.onnx"
    assert len(early_graph(path)) < path.stat().st_size


def test_another_graph_is_refused(world: World) -> None:
    with pytest.raises(WorldError, match="no sum of two"):
        early_graph(ready_graphs(world) / "mapping.onnx")


def test_what_adds_up_no_pictures_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONORAMA_CACHE", str(tmp_path / "cache"))
    write_world(tmp_path / "three.safetensors", generator=StyleGAN3Config(32, 16, 24, 2, 512, 12))
    backend = open_backend(load_world(str(tmp_path / "three.safetensors")), "ort")
    assert not can_paint(backend, EARLY)
    with pytest.raises(NoFastPrecision, match="onnxruntime-cpu cannot paint in exact, early exit"):
        open_in(backend, EARLY)


def test_a_reference_has_none(world: World) -> None:
    assert not can_paint(open_backend(world, "reference"), EARLY)
