"""Principal axes of W: the directions in which the style codes of a world's seeds differ most (/axis/).

Principal components of w over random seeds, as in GANSpace (Harkonen et al. 2020, arXiv 2004.02546). Numpy alone, so
that playing without torch has them and every backend has the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..units import AXES, Array
from .card import Card
from .seed_bank import bank_part, seed_to_z

SAMPLES = 2048
"""Seeds that the axes of a world without axes in its file are computed from."""
TENSOR = "axes.directions"


def principal_axes(styles: Array) -> Array:
    """The axes [AXES,W] of style codes [N,W], each as long as one standard deviation along it, longest first; 0 where
    the codes have fewer. Each points to where its largest coordinate is positive.
    """
    centred = (styles - styles.mean(0)).astype(np.float64)
    variances, vectors = np.linalg.eigh(centred.T @ centred / max(1, len(centred)))
    order = np.argsort(variances)[::-1][:AXES]
    axes = vectors[:, order].T * np.sqrt(np.maximum(variances[order], 0.0))[:, None]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
    axes *= np.where(largest < 0, -1.0, 1.0)
    return np.pad(axes, ((0, AXES - len(axes)), (0, 0))).astype(np.float32)


def shares(axes: Array, styles: Array) -> list[float]:
    """Of each axis of style codes [N,W]: its share of their variance, 0 to 1."""
    whole = max(float(np.square(styles - styles.mean(0)).mean(0).sum()), 1e-12)
    return [round(float(np.square(axis).sum()) / whole, 4) for axis in axes]


def world_axes(card: Card, tensors: Mapping[str, npt.NDArray[Any]]) -> Array | None:
    """The axes [AXES,W] of a world: those of its file, or else of its first seeds; None where the file has neither axes
    nor a mapping network. The same file gives the same axes.
    """
    if (found := tensors.get(TENSOR)) is not None:
        return found.astype(np.float32)
    styles = seed_styles(card, tensors, range(SAMPLES))
    return None if styles is None else principal_axes(styles)


def seed_styles(card: Card, tensors: Mapping[str, npt.NDArray[Any]], seeds: Iterable[int]) -> Array | None:
    """The style codes [N,W] of seeds, without truncation; None where the file has no mapping network."""
    layers = [f"generator.mapping.fc{i}" for i in range(card.generator.mapping_layers)]
    if any(f"{name}.{part}" not in tensors for name in layers for part in ("weight", "bias")):
        return None
    anchors, z_dim = bank_part(tensors, "anchors"), card.generator.z_dim
    z = np.stack([seed_to_z(seed, z_dim, anchors, card.mixing) for seed in seeds])
    return _mapped(z, layers, tensors)


def _mapped(z: Array, layers: list[str], tensors: Mapping[str, npt.NDArray[Any]]) -> Array:
    """The mapping network (generator.py) without truncation: z [N,Z] -> w [N,W]."""
    x = z / np.sqrt(np.square(z).mean(1, keepdims=True) + 1e-8)
    for name in layers:
        weight, bias = (tensors[f"{name}.{part}"].astype(np.float32) for part in ("weight", "bias"))
        x = x @ weight.T * np.float32(0.01 / np.sqrt(weight.shape[1])) + bias * np.float32(0.01)
        x = np.where(x < 0, 0.2 * x, x) * np.float32(np.sqrt(2.0))
    return x.astype(np.float32)
