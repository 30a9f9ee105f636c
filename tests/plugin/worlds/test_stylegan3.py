"""Imported StyleGAN3 generators paint what the published equations say, from the weights in the file, and play."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sonorama.engine.cli.main import main
from sonorama.engine.errors import WorldError
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.build import build_networks
from sonorama.engine.model.stylegan3_config import StyleGAN3Config
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.plugin.worlds import make_world
from sonorama.plugin.worlds.imported import build_generator
from sonorama.plugin.worlds.make_world import convert_network
from sonorama.plugin.worlds.reading_child import read_network

from . import nvidia_files, stylegan3_files


@pytest.mark.parametrize("radial", [False, True])
def test_both_configurations_paint_the_same(tmp_path: Path, radial: bool) -> None:
    g = stylegan3_files.generator(radial=radial)
    path = nvidia_files.write(tmp_path / "g.pkl", g)
    ours, _ = build_generator(convert_network(read_network(path), path.name))
    assert isinstance(ours.config, StyleGAN3Config)
    assert (ours.config.radial, ours.config.kernel) == (radial, 1 if radial else 3)
    z = torch.randn(16, generator=torch.Generator().manual_seed(4))
    w = nvidia_files.style_of(g, z)
    picture = stylegan3_files.paint(g, w)
    assert picture.std() > 0.01
    difference = (ours(z[None])[0] - picture).abs().max() / picture.abs().max()
    assert difference < 2e-5


def see(pictures: torch.Tensor) -> torch.Tensor:
    """Unit codes, quickly: test_import.py looks with the base world's own eyes."""
    flat = torch.nn.functional.adaptive_avg_pool2d(pictures, 8).flatten(1)[:, :128]
    return torch.nn.functional.normalize(flat - flat.mean(1, keepdim=True))


def test_from_a_file_to_a_world_that_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_world, "eyes", lambda base: see)
    monkeypatch.setenv("SONORAMA_WORLDS", str(tmp_path / "worlds"))
    monkeypatch.setenv("SONORAMA_CACHE", str(tmp_path / "cache"))
    source = nvidia_files.write(tmp_path / "faces.pkl", stylegan3_files.generator())
    assert main(["import", str(source), "--world", "faces", "--seeds", "16"]) == 0
    world = load_world("faces")
    assert (world.card.num_ws, world.card.level_cuts, world.card.width) == (16, (3, 6), 32)
    assert "a CPU takes seconds for a picture" in world.card.description
    player = LoadedWorld(world, open_backend(world, "cpu"))
    ws = player.seed_bank.base(7, 0.7, 0.0, None, 0.0)
    picture = player.backend.synthesize(ws)
    assert picture.std() > 0
    own = build_networks(world).generator.synthesis(torch.from_numpy(ws)[None])[0].permute(1, 2, 0).numpy()
    assert np.abs(picture - (own * 0.5 + 0.5).clip(0, 1)).max() < 1e-5


def other_filter() -> Any:
    g: Any = stylegan3_files.generator()
    g.synthesis.L3_36_12.up_filter[3] += 0.01
    return g


def turned() -> Any:
    g: Any = stylegan3_files.generator()
    g.synthesis.input.transform[0, 2] = 0.1
    return g


def other_rate() -> Any:
    g: Any = stylegan3_files.generator()
    g.synthesis.L3_36_12.out_cutoff = 7.0
    return g


def other_clamp() -> Any:
    g: Any = stylegan3_files.generator()
    g.synthesis.L3_36_12.conv_clamp = 128
    return g


def with_more() -> Any:
    g: Any = stylegan3_files.generator()
    g.synthesis.register_buffer("noise_const", torch.zeros(3))
    return g


def not_finite() -> Any:
    g: Any = stylegan3_files.generator()
    g.synthesis.L3_36_12.weight.data[0, 0, 0, 0] = np.nan
    return g


def without_size() -> Any:
    g: Any = stylegan3_files.generator()
    del g.synthesis.margin_size
    return g


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: stylegan3_files.generator(c_dim=10), "is a conditional network"),
        (other_filter, "the up_filter of synthesis.L3_36_12 is another one"),
        (turned, "shifted or turned for good"),
        (other_rate, "out_cutoff of synthesis.L3_36_12 is 7.0"),
        (other_clamp, "synthesis.L3_36_12 clamps at 128"),
        (with_more, "has synthesis.noise_const, which no StyleGAN3"),
        (not_finite, "holds weights that are not numbers"),
        (without_size, "margin is None"),
    ],
)
def test_what_our_generator_has_not_is_refused_by_name(tmp_path: Path, make: Any, reason: str) -> None:
    path = nvidia_files.write(tmp_path / "g.pkl", make())
    with pytest.raises(WorldError, match=reason) as refused:
        convert_network(read_network(path), path.name)
    assert str(refused.value).count("\n") == 1
