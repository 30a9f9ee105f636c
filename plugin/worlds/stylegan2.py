"""From a StyleGAN2 network of NVIDIA or rosinality to the tensors of our own generator, with the same pictures.

Both keep their weights of equalised learning rate without the gains; NVIDIA's files say each layer's gains, and where
they are others than ours (model/generator.py) the weights are scaled, so that the products are the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonorama.engine.errors import WorldError
from sonorama.engine.model.config import LIMITS, AnyGenerator, GeneratorConfig, check_generator
from sonorama.engine.units import Array

from .network_record import NVIDIA, ROSINALITY, Network

MAPPING_RATE = 0.01
"""lr_multiplier of our mapping network."""
SMALLEST, LARGEST = 32, 1024
_FIR = np.outer((1, 3, 3, 1), (1, 3, 3, 1)) / 64
_OTHER = "Give a StyleGAN2 network for pictures, without classes, in the architecture `skip`."


@dataclass(frozen=True)
class Converted:
    """Sizes, tensors by the names of model/generator.py (without `mapping.w_avg` where the file has none), and the
    value at which the network's activations were clamped in training (0: none).
    """

    config: AnyGenerator
    tensors: dict[str, Array]
    clamp: float


def convert(network: Network, file: str) -> Converted:
    """Our generator's tensors.

    Raises:
        WorldError: it is no StyleGAN2 network, or one with something that our generator does not have.

    """
    if network.project == ROSINALITY:
        network = _renamed(network, file)
    _check_kind(network, file)
    config = _config(network, file)
    tensors, used = {}, set()
    for name, shape in _expected(config).items():
        tensors[name] = tensor_of(network, name, shape, file)
        used.add(name)
    used.add("mapping.w_avg")
    used |= {name for name, x in network.tensors.items() if _is_filter(name, x)}
    check_left(network, used, "StyleGAN2", file)
    tensors |= averages(network, config.w_dim, tensors, file)
    clamps = [values.get("conv_clamp") for values in network.settings.values()]
    return Converted(config, tensors, min((float(c) for c in clamps if isinstance(c, int | float)), default=0.0))


def check_left(network: Network, used: Container[str], kind: str, file: str) -> None:
    """WorldError where a network has tensors besides those that are used."""
    extra = [name for name in network.tensors if name not in used]
    if extra:
        raise WorldError(f"{file} has {min(extra)}, which no {kind} generator of this size has", _OTHER)


def averages(network: Network, w_dim: int, tensors: Mapping[str, Array], file: str) -> dict[str, Array]:
    """`mapping.w_avg`, if the network has one.

    Raises:
        WorldError: it, or one of `tensors`, holds NaN or infinite numbers.

    """
    w_avg = network.tensors.get("mapping.w_avg")
    found = {"mapping.w_avg": w_avg.astype(np.float32)} if w_avg is not None and w_avg.shape == (w_dim,) else {}
    if not all(np.isfinite(x).all() for x in (*tensors.values(), *found.values())):
        raise WorldError(f"{file} holds weights that are not numbers", "Get the file again, or an earlier snapshot.")
    return found


def _check_kind(network: Network, file: str) -> None:
    names, settings = network.tensors, network.settings
    if settings.get("", {}).get("c_dim") or "mapping.embed.weight" in names:
        raise WorldError(f"{file} is a conditional network: its pictures have classes of their own", _OTHER)
    if "synthesis.b4.const" not in names or "mapping.fc0.weight" not in names:
        raise WorldError(f"{file} holds no StyleGAN2 generator", _OTHER)
    for module, values in settings.items():
        if values.get("architecture", "skip") != "skip":
            raise WorldError(f"{file} has the architecture {str(values['architecture'])[:20]}", _OTHER)
        if values.get("activation", "lrelu") not in ("lrelu", "linear"):
            raise WorldError(f"{file}: {module} has the activation {str(values['activation'])[:20]}", _OTHER)
    if any(re.fullmatch(r"synthesis\.b\d+\.skip\.weight", name) for name in names):
        raise WorldError(f"{file} has the architecture resnet", _OTHER)


def _config(network: Network, file: str) -> GeneratorConfig:
    """Sizes that the tensors show."""
    tensors = network.tensors
    widths = {
        int(found[1]): x.shape[1]
        for name, x in tensors.items()
        if (found := re.fullmatch(r"synthesis\.b(\d{1,4})\.torgb\.weight", name)) and x.ndim == 4
    }
    size = max(widths, default=0)
    if sorted(widths) != [2**i for i in range(2, size.bit_length())] or not SMALLEST <= size <= LARGEST:
        raise WorldError(f"{file}: its pictures are not of {SMALLEST} to {LARGEST} px, a power of two", _OTHER)
    most = max(widths.values())
    base = max(n * side for side, n in widths.items())
    if any(min(base // side, most) != n for side, n in widths.items()):
        raise WorldError(f"{file}: its layers have {list(widths.values())} channels, not half of those before", _OTHER)
    layers = sum(bool(re.fullmatch(r"mapping\.fc\d+\.weight", name)) for name in tensors)
    first = tensors["mapping.fc0.weight"]
    w_dim, z_dim = (*first.shape, 0)[:2]
    config = GeneratorConfig(size, z_dim, w_dim, layers, base, most)
    try:
        check_generator(config)
    except ValueError as error:
        raise WorldError(f"{file}: {error}", _OTHER) from error
    for name in ("z_dim", "w_dim", "mapping_layers", "channel_base", "channel_max"):
        low, high = LIMITS[name]
        if not low <= getattr(config, name) <= high:
            raise WorldError(f"{file}: its {name} is {getattr(config, name)}, not from {low:g} to {high:g}", _OTHER)
    return config


def _expected(config: GeneratorConfig) -> dict[str, tuple[int, ...]]:
    """Names and shapes of our generator's tensors in a world file, but those of its averages."""
    shapes: dict[str, tuple[int, ...]] = {}

    def linear(name: str, n_in: int, n_out: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (n_out, n_in), (n_out,)

    for i in range(config.mapping_layers):
        linear(f"mapping.fc{i}", config.w_dim if i else config.z_dim, config.w_dim)
    for side in config.sides:
        block, n = f"synthesis.b{side}", config.channels(side)
        if side == 4:
            shapes[f"{block}.const"] = (n, 4, 4)
        for layer, n_in in (("conv0", config.channels(side // 2)), ("conv1", n)):
            if side == 4 and layer == "conv0":
                continue
            linear(f"{block}.{layer}.affine", config.w_dim, n_in)
            shapes |= {
                f"{block}.{layer}.weight": (n, n_in, 3, 3),
                f"{block}.{layer}.bias": (n,),
                f"{block}.{layer}.noise_strength": (1,),
                f"{block}.{layer}.noise_const": (side, side),
            }
        linear(f"{block}.torgb.affine", config.w_dim, n)
        shapes |= {f"{block}.torgb.weight": (3, n, 1, 1), f"{block}.torgb.bias": (3,)}
    return shapes


def tensor_of(network: Network, name: str, shape: tuple[int, ...], file: str) -> Array:
    """One tensor, scaled where its layer has other gains than ours."""
    found = network.tensors.get(name)
    module, _, kind = name.rpartition(".")
    if found is None and kind.startswith("noise_"):  # a network that was trained without noise
        return np.zeros(shape, np.float32)
    if found is None or (found.shape or (1,)) != shape:
        there = "missing" if found is None else f"of the shape {found.shape}"
        raise WorldError(f"{file}: its {name} is {there}, not {shape}", _OTHER)
    return (found.astype(np.float32).reshape(shape) * np.float32(_gain(network, module, kind, shape, file))).astype(
        np.float32
    )


def _gain(network: Network, module: str, kind: str, shape: tuple[int, ...], file: str) -> float:
    """What a tensor is multiplied by, so that its layer's gain and ours give the same."""
    layer = module.rpartition(".")[2]
    told = network.settings.get(module, {})
    if network.project != NVIDIA or not told or not (layer.startswith("fc") or layer in ("affine", "torgb")):
        return 1.0
    rate = MAPPING_RATE if layer.startswith("fc") else 1.0
    if kind == "weight":
        return number_of(told, "weight_gain", module, file) * math.sqrt(shape[1]) / rate
    return 1.0 if layer == "torgb" else number_of(told, "bias_gain", module, file) / rate


def number_of(told: dict[str, Any], name: str, module: str, file: str) -> float:
    """An attribute of a module that is a number above 0. Raises WorldError: it has none."""
    value = told.get(name)
    if not isinstance(value, int | float) or not 0 < value < 1e6:
        raise WorldError(f"{file}: {module} has no {name}", "Get the file again.")
    return float(value)


def _is_filter(name: str, x: npt.NDArray[Any]) -> bool:
    """Whether it is the low-pass [1,3,3,1], as NVIDIA keeps it or four times as strong, as rosinality does."""
    kept = name.endswith((".resample_filter", ".blur.kernel", ".upsample.kernel"))
    return kept and x.shape == (4, 4) and (np.allclose(x, _FIR, atol=1e-4) or np.allclose(x, 4 * _FIR, atol=1e-4))


def _renamed(network: Network, file: str) -> Network:
    """A rosinality network under NVIDIA's names; its convolutions bear their gain in the weights."""
    tensors = dict(network.tensors)
    made = Network(ROSINALITY)

    def take(name: str) -> npt.NDArray[Any]:
        if name not in tensors:
            raise WorldError(f"{file}: its {name} is missing", "Give a checkpoint of rosinality's stylegan2-pytorch.")
        return tensors.pop(name)

    def convolution(old: str, new: str, noise: int | None) -> None:
        weight = take(f"{old}.conv.weight")[0]
        if noise is not None:
            weight = weight / math.sqrt(weight[0].size)
            made.tensors[f"{new}.noise_strength"] = take(f"{old}.noise.weight")
            made.tensors[f"{new}.noise_const"] = take(f"noises.noise_{noise}")[0, 0]
        made.tensors[f"{new}.weight"] = weight
        made.tensors[f"{new}.bias"] = take(f"{old}.bias" if noise is None else f"{old}.activate.bias").reshape(-1)
        for part in ("weight", "bias"):
            made.tensors[f"{new}.affine.{part}"] = take(f"{old}.conv.modulation.{part}")

    for i in range(sum(bool(re.fullmatch(r"style\.\d+\.weight", name)) for name in tensors)):
        for part in ("weight", "bias"):
            made.tensors[f"mapping.fc{i}.{part}"] = take(f"style.{i + 1}.{part}")
    made.tensors["synthesis.b4.const"] = take("input.input")[0]
    convolution("conv1", "synthesis.b4.conv1", 0)
    convolution("to_rgb1", "synthesis.b4.torgb", None)
    for i in range(sum(bool(re.fullmatch(r"to_rgbs\.\d+\.bias", name)) for name in tensors)):
        block = f"synthesis.b{8 * 2**i}"
        convolution(f"convs.{2 * i}", f"{block}.conv0", 2 * i + 1)
        convolution(f"convs.{2 * i + 1}", f"{block}.conv1", 2 * i + 2)
        convolution(f"to_rgbs.{i}", f"{block}.torgb", None)
    if "latent_avg" in tensors:
        made.tensors["mapping.w_avg"] = tensors.pop("latent_avg")
    made.tensors |= tensors  # what is left is named where it is no low-pass
    return made
