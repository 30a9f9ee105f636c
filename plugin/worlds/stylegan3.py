"""From a StyleGAN3 network of NVIDIA to the tensors of our own generator, with the same pictures.

The file says the sizes of every layer and holds its filters; ours are computed from a few numbers, and a file whose
layers differ from them is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sonorama.engine.errors import WorldError
from sonorama.engine.model.config import check_generator, parse
from sonorama.engine.model.lowpass import down_filter, up_filter
from sonorama.engine.model.stylegan3_config import Layer, StyleGAN3Config
from sonorama.engine.units import Array

from .network_record import Network
from .stylegan2 import Converted, averages, check_left, number_of, tensor_of

OTHER = "Give a StyleGAN3 network of NVIDIA's configurations T or R, for pictures, without classes."
CLOSE = 1e-5
"""Largest difference of a filter's tap from ours: files hold them in single precision."""


def is_stylegan3(network: Network) -> bool:
    """Whether a network has StyleGAN3's input."""
    return "synthesis.input.freqs" in network.tensors


def convert_stylegan3(network: Network, file: str) -> Converted:
    """Our generator's tensors.

    Raises:
        WorldError: it has something that our generator does not have.

    """
    if network.settings.get("", {}).get("c_dim") or "mapping.embed.weight" in network.tensors:
        raise WorldError(f"{file} is a conditional network: its pictures have classes of their own", OTHER)
    config = _config(network, file)
    tensors = {name: tensor_of(network, name, shape, file) for name, shape in _expected(config).items()}
    for name, layer in zip(config.names, config.layers, strict=True):
        _check_layer(network, f"synthesis.{name}", layer, config, file)
    turned = network.tensors.get("synthesis.input.transform")
    if turned is not None and not np.array_equal(turned, np.eye(3)):
        raise WorldError(f"{file}: its pictures are shifted or turned for good (synthesis.input.transform)", OTHER)
    kept = {f"synthesis.{name}.{kind}_filter" for name in config.names for kind in ("up", "down")}
    check_left(network, {*tensors, *kept, "mapping.w_avg", "synthesis.input.transform"}, "StyleGAN3", file)
    return Converted(config, tensors | averages(network, config.w_dim, tensors, file), 0.0)


def _config(network: Network, file: str) -> StyleGAN3Config:
    """Sizes by the attributes of the network and of its first layer, and by the arguments it was made with."""
    whole, given = network.settings.get("synthesis", {}), _arguments(network)
    layer = next((v for k, v in network.settings.items() if k.startswith("synthesis.L0_") and k.count(".") == 1), {})
    first = network.tensors.get("mapping.fc0.weight")
    if first is None or first.ndim != 2 or whole.get("img_channels", 3) != 3:
        raise WorldError(f"{file} holds no StyleGAN3 generator for pictures", OTHER)
    values: dict[str, Any] = {
        "size": whole.get("img_resolution"), "z_dim": first.shape[1], "w_dim": first.shape[0],
        "mapping_layers": sum(name.startswith("mapping.fc") and name.endswith(".weight") for name in network.tensors),
        "channel_base": given.get("channel_base", 32768), "channel_max": given.get("channel_max", 512),
        "num_layers": whole.get("num_layers"), "num_critical": whole.get("num_critical"),
        "first_cutoff": given.get("first_cutoff", 2.0), "first_stopband": given.get("first_stopband", 2**2.1),
        "last_stopband": given.get("last_stopband_rel", 2**0.3), "margin": whole.get("margin_size"),
        "kernel": layer.get("conv_kernel"), "filter_size": given.get("filter_size", 6),
        "oversampling": given.get("lrelu_upsampling", 2), "radial": layer.get("down_radial"),
        "clamp": layer.get("conv_clamp") or 0, "output_scale": whole.get("output_scale"),
    }  # fmt: skip
    try:
        config = parse(StyleGAN3Config, values)
        check_generator(config)
    except (ValueError, TypeError) as error:
        raise WorldError(f"{file}: {error}", OTHER) from error
    return config


def _arguments(network: Network) -> dict[str, Any]:
    """What the synthesis network was made with."""
    given = network.settings.get("synthesis", {}).get("_init_kwargs")
    return given if isinstance(given, dict) else {}


def _expected(config: StyleGAN3Config) -> dict[str, tuple[int, ...]]:
    """Names and shapes of our generator's tensors in a world file, but those of its averages."""
    shapes: dict[str, tuple[int, ...]] = {}
    waves = config.layers[0].n_in
    for i in range(config.mapping_layers):
        n_in = config.w_dim if i else config.z_dim
        shapes |= {f"mapping.fc{i}.weight": (config.w_dim, n_in), f"mapping.fc{i}.bias": (config.w_dim,)}
    shapes |= {
        "synthesis.input.affine.weight": (4, config.w_dim), "synthesis.input.affine.bias": (4,),
        "synthesis.input.weight": (waves, waves), "synthesis.input.freqs": (waves, 2),
        "synthesis.input.phases": (waves,),
    }  # fmt: skip
    for name, layer in zip(config.names, config.layers, strict=True):
        shapes |= {
            f"synthesis.{name}.affine.weight": (layer.n_in, config.w_dim),
            f"synthesis.{name}.affine.bias": (layer.n_in,),
            f"synthesis.{name}.weight": (layer.n_out, layer.n_in, layer.kernel, layer.kernel),
            f"synthesis.{name}.bias": (layer.n_out,),
            f"synthesis.{name}.magnitude_ema": (1,),
        }
    return shapes


def _check_layer(network: Network, module: str, layer: Layer, config: StyleGAN3Config, file: str) -> None:
    """WorldError where a layer's attributes or filters are not those that we compute for it."""
    told = network.settings.get(module, {})
    ours = {
        "in_sampling_rate": layer.in_rate, "out_sampling_rate": layer.out_rate, "in_cutoff": layer.in_cutoff,
        "out_cutoff": layer.out_cutoff, "in_half_width": layer.in_half_width, "out_half_width": layer.out_half_width,
        "up_factor": layer.up, "down_factor": layer.down,
    }  # fmt: skip
    for name, value in ours.items():
        if abs(number_of(told, name, module, file) - value) > 1e-6 * value:
            raise WorldError(f"{file}: {name} of {module} is {told[name]}, not {value:g}", OTHER)
    if (told.get("conv_clamp") or 0) != config.clamp:
        raise WorldError(f"{file}: {module} clamps at {told.get('conv_clamp')}, others at {config.clamp:g}", OTHER)
    if not np.all(network.tensors[f"{module}.magnitude_ema"] > 0):
        raise WorldError(f"{file}: the magnitude_ema of {module} is not above 0", "Get the file again.")
    designs: dict[str, Array] = {
        "up_filter": up_filter(layer).astype(np.float32),
        "down_filter": down_filter(layer, config.radial).astype(np.float32),
    }
    for name, design in designs.items():
        found = network.tensors.get(f"{module}.{name}")
        if found is None if design.size > 1 else found is not None:
            raise WorldError(f"{file}: {module} has {'no' if found is None else 'a'} {name}", OTHER)
        if found is not None and (found.shape != design.shape or np.abs(found - design).max() > CLOSE):
            raise WorldError(f"{file}: the {name} of {module} is another one than its bands ask for", OTHER)
