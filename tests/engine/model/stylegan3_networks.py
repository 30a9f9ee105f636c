"""Untrained StyleGAN3 generators with seeded random weights, whose layers are as strong as a training keeps them and
whose pictures have the contrast of photos.
"""

from __future__ import annotations

import torch

from sonorama.engine.model.generator import Generator
from sonorama.engine.model.stylegan3 import FilteredConv, StyleGAN3Synthesis
from sonorama.engine.model.stylegan3_config import StyleGAN3Config

from .equivariance import CONTRAST


@torch.no_grad()
def untrained(config: StyleGAN3Config, seed: int = 3) -> Generator:
    """A generator whose magnitudes are measured over a few of its pictures, as a training measures them."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generator = Generator(config).eval().requires_grad_(False)
        for name, value in generator.named_parameters():
            if name.endswith("bias") and "affine" not in name:
                value.add_(torch.randn_like(value) * (10.0 if name.startswith("mapping") else 0.1))
        assert isinstance(generator.synthesis, StyleGAN3Synthesis)
        generator.synthesis.input.affine.weight.normal_(0, 0.3)
        z = torch.randn(1000, config.z_dim)
    generator.mapping.w_avg.copy_(generator.mapping(z)[:, 0].mean(0))

    def measure(layer: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        assert isinstance(layer, FilteredConv)
        layer.magnitude_ema.copy_(inputs[0].square().mean())

    hooks = [m.register_forward_pre_hook(measure) for m in generator.modules() if isinstance(m, FilteredConv)]
    pictures = generator(z[:4], 0.7)
    for hook in hooks:
        hook.remove()
    colours = generator.synthesis.get_submodule(config.names[-1])
    assert isinstance(colours, FilteredConv)
    mean = pictures.mean((0, 2, 3)) / config.output_scale
    strength = CONTRAST / pictures.std((2, 3)).mean(0)
    colours.bias.copy_((colours.bias - mean) * strength)
    colours.weight.mul_(strength[:, None, None, None])
    return generator
