"""Imported generators paint what the published equations say, from the weights in the file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sonorama.engine.errors import WorldError
from sonorama.engine.model.generator import Generator
from sonorama.plugin.worlds.imported import build_generator
from sonorama.plugin.worlds.reading_child import read_network
from sonorama.plugin.worlds.stylegan2 import convert

from . import nvidia_files

SIZES: list[dict[str, Any]] = [
    {"size": 64},
    {"size": 64, "base": 2048, "most": 64, "z_dim": 24, "layers": 2, "lr": 0.02},
    {"size": 64, "base": 512, "most": 512, "layers": 3},
    {"size": 256, "base": 1024, "most": 16, "layers": 8},
    {"size": 32, "base": 96, "most": 16, "layers": 1},
]


def converted(path: Path) -> Generator:
    return build_generator(convert(read_network(path), path.name))[0]


def largest_difference(g: nvidia_files.Generator, ours: Generator) -> float:
    z = torch.randn(2, g.z_dim, generator=torch.Generator().manual_seed(4))
    differences = []
    with torch.no_grad():
        for one in z:
            w = nvidia_files.style_of(g, one)
            assert torch.allclose(ours.mapping(one[None])[0, 0], w, atol=1e-5)
            w_avg: Any = g.mapping.w_avg
            truncated = w_avg + 0.7 * (w - w_avg)
            picture = nvidia_files.paint(g, truncated)
            assert picture.std() > 0.1
            differences.append((ours(one[None], 0.7)[0] - picture).abs().max() / picture.abs().max())
    return float(max(differences))


@pytest.mark.parametrize("sizes", SIZES)
def test_nvidia_paints_the_same(tmp_path: Path, sizes: dict[str, Any]) -> None:
    g = nvidia_files.generator(**sizes)
    ours = converted(nvidia_files.write(tmp_path / "g.pkl", g))
    assert (ours.config.size, ours.config.mapping_layers) == (g.img_resolution, g.mapping.num_layers)
    assert largest_difference(g, ours) < 2e-5


@pytest.mark.parametrize("sizes", [{"size": 64, "z_dim": 24}, {"size": 256, "base": 1024, "most": 16, "z_dim": 24}])
def test_rosinality_paints_the_same(tmp_path: Path, sizes: dict[str, Any]) -> None:
    g = nvidia_files.generator(**sizes)
    # Its convolutions have a gain of their own before demodulation, which takes it out: the same weights fit.
    torch.save(nvidia_files.rosinality(g), tmp_path / "g.pt")
    assert largest_difference(g, converted(tmp_path / "g.pt")) < 2e-5


def test_without_averages_they_are_measured(tmp_path: Path) -> None:
    content = nvidia_files.rosinality(nvidia_files.generator(size=32, layers=1))
    del content["latent_avg"]
    torch.save(content, tmp_path / "g.pt")
    ours = converted(tmp_path / "g.pt")
    w = ours.mapping(torch.randn(4000, 32, generator=torch.Generator().manual_seed(1)))[:, 0]
    assert torch.allclose(ours.mapping.w_avg, w.mean(0), atol=0.1)
    assert torch.allclose(ours.mapping.w_std, w.std(0), rtol=0.1)


def test_without_noise(tmp_path: Path) -> None:
    g = nvidia_files.generator(size=32, layers=1)
    for module in g.synthesis.modules():
        if isinstance(module, nvidia_files.SynthesisLayer):
            del module.noise_const, module.noise_strength
    ours = converted(nvidia_files.write(tmp_path / "g.pkl", g))
    assert not any(x.any() for name, x in ours.state_dict().items() if name.endswith("noise_strength"))


def other_filter() -> nvidia_files.Generator:
    g: Any = nvidia_files.generator(size=32)
    g.synthesis.b8.conv0.resample_filter = torch.ones(4, 4) / 16
    return g


def not_finite() -> nvidia_files.Generator:
    g: Any = nvidia_files.generator(size=32)
    g.synthesis.b8.conv0.weight.data[0, 0, 0, 0] = np.nan
    return g


def other_widths() -> nvidia_files.Generator:
    g: Any = nvidia_files.generator(size=32, base=128)
    g.synthesis.b16 = nvidia_files.SynthesisBlock(16, 5, 24, 16, "skip", 3)
    return g


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: nvidia_files.generator(size=32, c_dim=10), "is a conditional network"),
        (lambda: nvidia_files.generator(size=32, architecture="resnet"), "has the architecture resnet"),
        (lambda: nvidia_files.generator(size=32, architecture="orig"), "has the architecture orig"),
        (lambda: nvidia_files.generator(size=32, channels=4), r"torgb.weight is of the shape \(4, "),
        (lambda: nvidia_files.generator(size=16), "not of 32 to 1024 px"),
        (other_filter, "has synthesis.b8.conv0.resample_filter"),
        (not_finite, "holds weights that are not numbers"),
        (other_widths, "channels, not half of those before"),
    ],
)
def test_what_our_generator_has_not_is_refused_by_name(tmp_path: Path, make: Any, reason: str) -> None:
    path = nvidia_files.write(tmp_path / "g.pkl", make())
    with pytest.raises(WorldError, match=reason) as refused:
        convert(read_network(path), path.name)
    assert str(refused.value).count("\n") == 1
