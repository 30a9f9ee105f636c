"""The seed bank: the latents of seeds, prompts and the drift between seeds.

A world's pictures were learned from codes z of real photos; `bank.anchors` keeps those of the clean ones. A
seed mixes two of them, so that its picture is one of this world. For each of the first seeds the bank also
keeps the joint code of its picture: a prompt picks the closest by cosine at once (sec. 4.5 of the paper).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..units import Array

SEEDS = 2048
NOISE = 0.1
TRUNCATION = 0.7
"""Default of /look/truncation, at which a seed is as far from the average as its world's card says."""
FARTHEST = 1.2
"""Largest value of /look/truncation."""
WALK_SECONDS = 8.0
"""Seconds that drift takes from one seed to the next at full speed."""


def seed_to_z(seed: int, z_dim: int, anchors: Array | None, mixing: float = 0.5) -> Array:
    """A seed's z [Z] on the sphere of radius sqrt(Z): a mixture of two anchors [A,Z] plus a little noise;
    plain Gaussian for worlds without anchors. mixing: largest share of the second anchor.
    """
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(z_dim)
    if anchors is not None:
        a, b = anchors[rng.choice(len(anchors), 2, replace=len(anchors) < 2)]
        # Mostly one of them: halfway between two is the blandest picture.
        part = mixing * rng.beta(0.6, 1.2)
        z = (1 - part) * a + part * b + NOISE * z
    return (z * np.sqrt(z_dim) / np.linalg.norm(z)).astype(np.float32)


def closest_seed(code: Array, bank_codes: Array) -> int:
    """The seed whose picture's joint code [N,D] (unit rows) is closest to `code` [D] by cosine."""
    return int(np.argmax(bank_codes @ code))


class SeedBank:
    """Base latents w_0 [L,W] of seeds, truncated, with the drift of /look/drift.

    Latents are cached: drift needs the same two in every frame.

    Args:
        to_w: the mapping network without truncation: z [Z] -> w [W].
        w_avg: its average [W].
        num_ws, z_dim: L and Z.
        anchors: of `seed_to_z`.
        codes: joint codes of the pictures of the first seeds, unit [N,D], where a world has them.
        truncation, mixing: of the world's card.

    """

    def __init__(
        self,
        to_w: Callable[[Array], Array],
        w_avg: Array,
        num_ws: int,
        z_dim: int,
        anchors: Array | None,
        codes: Array | None = None,
        truncation: float = TRUNCATION,
        mixing: float = 0.5,
    ) -> None:
        self.codes = codes
        self.truncation, self._mixing = truncation, mixing
        self._to_w, self._w_avg, self._num_ws, self._z_dim, self._anchors = (
            to_w,
            w_avg,
            num_ws,
            z_dim,
            anchors,
        )
        self._known: dict[int, Array] = {}

    def latent(self, seed: int) -> Array:
        """W [W] of a seed, without truncation."""
        if seed not in self._known:
            if len(self._known) > 256:
                self._known.clear()
            self._known[seed] = self._to_w(self.z(seed))
        return self._known[seed]

    def z(self, seed: int) -> Array:
        """The z [Z] of a seed."""
        return seed_to_z(seed, self._z_dim, self._anchors, self._mixing)

    def base(
        self, seed: int, psi: float | Array, drifted: float, prompt_seed: int | None, prompt_weight: float
    ) -> Array:
        """w_0 [L,W]. psi: /look/truncation, one, or one for each code [L,1]. drifted: how many seeds the drift has
        passed (its whole part picks the two neighbours, its fraction the way between them, eased). prompt_seed: the
        seed that a prompt chose.
        """
        w = self.drifted(seed, drifted, prompt_seed, prompt_weight)
        return self.truncated(np.repeat(w[None], self._num_ws, 0), psi)

    def drifted(
        self, seed: int, drifted: float, prompt_seed: int | None = None, prompt_weight: float = 0.0,
        code: Array | None = None, code_weight: float = 1.0,
    ) -> Array:  # fmt: skip
        """W [W] without truncation, [L,W] near a code; arguments as of `base`.

        code: a latent [L,W] without truncation that takes the place of seed and prompt by `code_weight`.
        """
        step, part = _stage(drifted)
        w = self._drift_latent(seed, step, prompt_seed, prompt_weight)
        if code is not None and step == 0:
            w = (w + np.float32(code_weight) * (code - w)).astype(np.float32)
        if part == 0:
            return w
        return (w + part * (self._drift_latent(seed, step + 1, prompt_seed, prompt_weight) - w)).astype(np.float32)

    def truncated(self, w: Array, psi: float | Array) -> Array:
        """Style codes [L,W] drawn to the average; psi as of `base`."""
        return (self._w_avg + self._distance(psi) * (w - self._w_avg)).astype(np.float32)

    def _distance(self, psi: float | Array) -> float | Array:
        """Of /look/truncation: TRUNCATION is the card's, 0 and FARTHEST are what they say in every world."""
        if self.truncation == TRUNCATION:
            return psi
        return np.asarray(np.interp(psi, (0.0, TRUNCATION, FARTHEST), (0.0, self.truncation, FARTHEST)), np.float32)

    def _drift_latent(self, seed: int, step: int, prompt_seed: int | None, weight: float) -> Array:
        if step:
            return self.latent(_passed(seed, step))
        w = self.latent(seed)
        return w if prompt_seed is None else (w + weight * (self.latent(prompt_seed) - w)).astype(np.float32)


def along_drift(latent: Callable[[int], Array], seed: int, drifted: float) -> Array:
    """What drift makes of `latent`, which gives one for every seed; arguments as of SeedBank.base."""
    step, part = _stage(drifted)
    w = latent(_passed(seed, step))
    return w if part == 0 else (w + part * (latent(_passed(seed, step + 1)) - w)).astype(np.float32)


def _stage(drifted: float) -> tuple[int, float]:
    """How many seeds the drift has passed, and the part of the way to the next one, eased."""
    step, part = int(drifted), drifted - int(drifted)
    return step, part * part * (3 - 2 * part)


def _passed(seed: int, step: int) -> int:
    return (seed + step * 7_919) % 2**31 if step else seed


def bank_part(tensors: Mapping[str, npt.NDArray[Any]], name: str) -> Array | None:
    """`bank.<name>` of a world as float32, None where the world has none."""
    found = tensors.get(f"bank.{name}")
    return None if found is None else found.astype(np.float32)
