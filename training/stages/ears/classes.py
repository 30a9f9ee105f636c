"""Classes on a student's codes, in closed form: linear discriminants with strong shrinkage.

Sources weigh alike within a class, and classes alike: forty frames of one long recording count as one recording does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ....engine.units import Float64Array

SHRINKAGE = 0.9
TEMPERATURE = 6.0
"""Logits are divided by it, so that a score above 0.6 is right about nine times in ten."""


@dataclass(frozen=True)
class Discriminants:
    """Logits of codes [N,D]: codes @ weight.T + bias; weight [K,D], bias [K]."""

    weight: Float64Array
    bias: Float64Array

    def logits(self, codes: Float64Array) -> Float64Array:
        """[N,D] -> [N,K]."""
        return codes @ self.weight.T + self.bias

    def scores(self, codes: Float64Array) -> Float64Array:
        """Softmax [N,K] of the logits over TEMPERATURE."""
        z = self.logits(codes) / TEMPERATURE
        e = np.exp(z - z.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)


def balanced_weights(class_ids: Sequence[int], sources: Sequence[str]) -> Float64Array:
    """Weight of each frame [N]: classes alike, in a class the sources alike; their sum is the number of classes."""
    pairs = list(zip(class_ids, sources, strict=True))
    frames = {pair: pairs.count(pair) for pair in set(pairs)}
    of_class = {k: sum(1 for pair in frames if pair[0] == k) for k in set(class_ids)}
    return np.array([1.0 / frames[pair] / of_class[pair[0]] for pair in pairs])


def fit(codes: Float64Array, class_ids: Sequence[int], sources: Sequence[str], classes: int) -> Discriminants:
    """Discriminants of codes [N,D]; a share of SHRINKAGE of their covariance is replaced by a sphere of its trace."""
    weights, ids = balanced_weights(class_ids, sources), np.asarray(class_ids)
    means = np.stack([np.average(codes[ids == k], 0, weights[ids == k]) for k in range(classes)])
    rest = (codes - means[ids]) * np.sqrt(weights)[:, None]
    within = rest.T @ rest / classes
    sphere = np.trace(within) / len(within) * np.eye(len(within))
    within = (1 - SHRINKAGE) * within + SHRINKAGE * sphere
    weight = np.linalg.solve(within, means.T).T
    return Discriminants(weight, -0.5 * np.einsum("kd,kd->k", weight, means))
