"""StyleGAN3 networks in the layout of NVIDIA's pickles, T and R, with seeded random weights.

Sizes, rates and filters come from the reference (tests/engine/model/stylegan3_reference.py), not from the engine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...engine.model.stylegan3_reference import Reference, disc_filter, sinc_filter
from .nvidia_files import EasyDict, FullyConnectedLayer, MappingNetwork, Persistent


class SynthesisInput(Persistent):
    def __init__(self, w_dim: int, channels: int, size: int, rate: float, bandwidth: float) -> None:
        super().__init__(w_dim=w_dim, channels=channels, size=size, sampling_rate=np.float64(rate), bandwidth=bandwidth)
        self.w_dim, self.channels = w_dim, channels
        self.size = np.broadcast_to(np.asarray(size), [2])
        self.sampling_rate, self.bandwidth = np.float64(rate), np.float64(bandwidth)
        self.weight = nn.Parameter(torch.randn(channels, channels))
        self.affine = FullyConnectedLayer(w_dim, 4)
        self.affine.bias.data += torch.tensor([1.0, 0, 0, 0])
        self.register_buffer("transform", torch.eye(3))
        self.register_buffer("freqs", torch.randn(channels, 2) * bandwidth / 4)
        self.register_buffer("phases", torch.rand(channels) - 0.5)


class SynthesisLayer(Persistent):
    def __init__(self, sizes: Reference, i: int, w_dim: int, given: dict[str, Any]) -> None:
        j, rgb, critical = max(i - 1, 0), i == sizes.n, i >= sizes.critical
        told = {
            "w_dim": w_dim, "is_torgb": rgb, "is_critically_sampled": critical, "use_fp16": i > 4,
            "in_channels": sizes.width[j], "out_channels": sizes.width[i], "in_sampling_rate": sizes.rate[j],
            "out_sampling_rate": sizes.rate[i], "in_cutoff": np.float64(sizes.cutoff[j]),
            "out_cutoff": np.float64(sizes.cutoff[i]), "in_half_width": np.float64(sizes.stop[j]),
            "out_half_width": np.float64(sizes.stop[i]),
        }  # fmt: skip
        super().__init__(**told, in_size=sizes.side[j], out_size=sizes.side[i], **given)
        for name, value in told.items():
            setattr(self, name, value)
        self.in_size, self.out_size = (np.broadcast_to(np.asarray(sizes.side[k]), [2]) for k in (j, i))
        self.tmp_sampling_rate = max(sizes.rate[j], sizes.rate[i]) * (1 if rgb else 2)
        self.conv_kernel, self.conv_clamp, self.magnitude_ema_beta = 1 if rgb else sizes.kernel, 256, 0.999
        self.affine = FullyConnectedLayer(w_dim, sizes.width[j], bias=1.0)
        self.weight = nn.Parameter(torch.randn(sizes.width[i], sizes.width[j], self.conv_kernel, self.conv_kernel))
        self.bias = nn.Parameter(torch.randn(sizes.width[i]) * 0.1)
        self.register_buffer("magnitude_ema", torch.tensor(0.7))
        self.up_factor = self.tmp_sampling_rate // sizes.rate[j]
        self.down_factor = self.tmp_sampling_rate // sizes.rate[i]
        self.up_taps, self.down_taps = 1 if rgb else 6 * self.up_factor, 1 if rgb else 6 * self.down_factor
        self.down_radial = sizes.radial and not critical
        self.padding = [9, 8, 9, 8]
        fall = disc_filter if self.down_radial else sinc_filter
        up = sinc_filter(self.up_taps, sizes.cutoff[j], sizes.stop[j], self.tmp_sampling_rate)
        down = fall(self.down_taps, sizes.cutoff[i], sizes.stop[i], self.tmp_sampling_rate)
        self.register_buffer("up_filter", None if rgb else torch.as_tensor(up, dtype=torch.float32))
        self.register_buffer("down_filter", None if rgb else torch.as_tensor(down, dtype=torch.float32))


class SynthesisNetwork(Persistent):
    def __init__(self, w_dim: int, size: int, base: int, most: int, radial: bool) -> None:
        sizes = Reference({}, size, base, most, 1 if radial else 3, radial)
        given = {"conv_kernel": 1, "use_radial_filters": True} if radial else {}
        super().__init__(
            w_dim=w_dim, img_resolution=size, img_channels=3, channel_base=base, channel_max=most,
            magnitude_ema_beta=0.999, **given,
        )  # fmt: skip
        self.w_dim, self.num_ws, self.img_resolution, self.img_channels = w_dim, sizes.n + 2, size, 3
        self.num_layers, self.num_critical, self.margin_size = sizes.n, sizes.n - sizes.critical, 10
        self.output_scale, self.num_fp16_res = 0.25, 4
        self.input = SynthesisInput(w_dim, sizes.width[0], sizes.side[0], sizes.rate[0], sizes.cutoff[0])
        self.layer_names = []
        for i in range(sizes.n + 1):
            self.layer_names.append(f"L{i}_{sizes.side[i]}_{sizes.width[i]}")
            setattr(self, self.layer_names[-1], SynthesisLayer(sizes, i, w_dim, given))


class Generator(Persistent):
    """StyleGAN3's: configuration T, or R where it is radial."""

    def __init__(
        self, size: int = 32, base: int = 512, most: int = 12, z_dim: int = 16, w_dim: int = 24, radial: bool = False,
        c_dim: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(
            z_dim=z_dim, c_dim=c_dim, w_dim=w_dim, img_resolution=size, mapping_kwargs=EasyDict(num_layers=2),
            channel_base=base, channel_max=most,
        )  # fmt: skip
        self.z_dim, self.c_dim, self.w_dim, self.img_resolution, self.img_channels = z_dim, c_dim, w_dim, size, 3
        self.synthesis = SynthesisNetwork(w_dim, size, base, most, radial)
        self.num_ws = self.synthesis.num_ws
        self.mapping = MappingNetwork(z_dim, c_dim, w_dim, self.num_ws, 2)
        self.sizes = {"size": size, "base": base, "most": most, "kernel": 1 if radial else 3, "radial": radial}

    def __reduce__(self) -> tuple[Any, ...]:
        kept = dict(self.__dict__)
        sizes = self.__dict__.pop("sizes")  # our own
        made = super().__reduce__()
        made[1][0]["state"] = {name: value for name, value in kept.items() if name != "sizes"}
        self.__dict__["sizes"] = sizes
        return made


def generator(**sizes: Any) -> Generator:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        return Generator(**sizes)


def paint(g: Generator, w: Tensor) -> Tensor:
    """Style w [W] -> picture [3,H,W], by the reference."""
    tensors = {name: x.detach().numpy() for name, x in g.synthesis.state_dict().items()}
    codes = w.detach().double().numpy()[None].repeat(g.num_ws, 0)
    return torch.from_numpy(Reference(tensors, **g.sizes)(codes)).float()
