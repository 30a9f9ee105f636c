import itertools

import pytest
import torch

from sonorama.engine.model.generator import Generator, GeneratorConfig
from sonorama.engine.model.generator_folded import PlaySynthesis

SHAPES = [(64, 2048, 32), (128, 4096, 64), (256, 1024, 512)]


def lively(size: int, base: int, most: int, width: int = 4) -> Generator:
    """A generator whose noise, biases and styles all matter; its constant is 4 x width."""
    torch.manual_seed(size)
    config = GeneratorConfig(size, z_dim=16, w_dim=32, channel_base=base, channel_max=most, const_width=width)
    g = Generator(config).eval()
    for name, p in g.named_parameters():
        if name.endswith(("noise_strength", "bias")):
            p.data += 0.2 * torch.randn_like(p)
    return g.requires_grad_(False)


@pytest.mark.parametrize(("size", "base", "most", "width"), [(*shape, 4) for shape in SHAPES] + [(64, 2048, 32, 7)])
def test_every_form_paints_the_same(size: int, base: int, most: int, width: int) -> None:
    g = lively(size, base, most, width)
    ws = g.mapping(torch.randn(2, 16)) + 0.3 * torch.randn(2, g.config.num_ws, 32)
    reference = g.synthesis(ws, "const", form="weights")
    assert reference.shape == (2, 3, size, size * width // 4)
    assert reference.std() > 0.05
    assert (g.synthesis(ws, "const", form="activations") - reference).abs().max() < 1e-4
    played = PlaySynthesis(g.stylegan2)(ws)
    assert (played - (reference * 0.5 + 0.5).clamp(0, 1)).abs().max() < 1e-4


def test_early_exit_is_the_smaller_skip_image() -> None:
    g = lively(128, 1024, 32)
    ws = g.mapping(torch.randn(1, 16))
    small = g.synthesis(ws, size=32)
    assert small.shape[-1] == 32
    assert (PlaySynthesis(g.stylegan2, 32)(ws) - (small * 0.5 + 0.5).clamp(0, 1)).abs().max() < 1e-4


def test_samples_do_not_mix() -> None:
    g = lively(64, 1024, 32)
    ws = g.mapping(torch.randn(3, 16))
    alone = torch.cat([g.synthesis(w[None]) for w in ws])
    assert (g.synthesis(ws) - alone).abs().max() < 1e-4


def test_noise_modes_differ_and_none_is_none() -> None:
    g = lively(64, 1024, 32)
    ws = g.mapping(torch.randn(1, 16))
    const, none, random = (g.synthesis(ws, mode) for mode in ("const", "none", "random"))
    for a, b in itertools.combinations((const, none, random), 2):
        assert (a - b).abs().max() > 1e-3
    assert torch.equal(g.synthesis(ws, "none"), none)


def test_truncation() -> None:
    g = lively(64, 1024, 32)
    g.mapping.w_avg.copy_(torch.randn(32))
    z = torch.randn(2, 16)
    full, half = g.mapping(z), g.mapping(z, 0.5)
    assert torch.allclose(half, g.mapping.w_avg + 0.5 * (full - g.mapping.w_avg), atol=1e-4)
    assert torch.allclose(g.mapping(z, 0.0)[0, 0], g.mapping.w_avg, atol=1e-4)
    cut = g.mapping(z, 0.5, cutoff=3)
    assert torch.allclose(cut[:, 3:], full[:, 3:], atol=1e-4)
    assert torch.allclose(cut[:, :3], half[:, :3], atol=1e-4)


@pytest.mark.parametrize(("size", "codes"), [(64, 10), (128, 12), (256, 14), (512, 16), (1024, 18)])
def test_number_of_style_codes(size: int, codes: int) -> None:
    assert GeneratorConfig(size).num_ws == codes
