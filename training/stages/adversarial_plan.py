"""Everything that decides how the adversarial stage (eqs. 7 to 9) comes out, besides the data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AdversarialTraining:
    """Plan of stage 3.

    steps: 0 leaves E_RNN and E_a as they are. batch: clips a step; ticks: T, frames a clip at the motion rate; lead:
    at most so many motion steps are rolled before the first frame, without gradient. height: of the pictures that
    the discriminators see. stills: random frames a clip that D_I sees. shown: frames a clip that L_enc sees.
    real: `inverted` (the real clips as the generator can paint them: their frames inverted to W+ and painted again, so
    that the discriminators judge motion, not the generator's sharpness, which stays frozen), or `frames` (as filmed,
    as in the paper: clips of footage where the data folder has any, else procedural scenes).
    rate: Adam's, of E_RNN; rate_encoder: of E_a; rate_judges: of D_I and D_V; betas.
    loss: `lsgan` or `logistic`; r1: weight of the gradient penalty, for `logistic`.
    lam_v, lam_i, lam_enc, lam_w: weights of D_V, D_I, L_enc (eqs. 2 and 3) and of mean(((w_hat - w_0) / sigma_w)^2).
    width, scales, time: of the discriminators (discriminators/patches.py). wrong_sound: D_V also learns to reject real
    clips with another clip's sound, from which the coupling of sound and motion comes. ema: of the averaged
    networks, a step. psi: truncation of w_0. checkpoint_s: seconds between checkpoints.
    """

    steps: int = 300
    batch: int = 2
    ticks: int = 16
    lead: int = 8
    height: int = 64
    stills: int = 4
    shown: int = 2
    real: str = "inverted"
    rate: float = 1e-4
    rate_encoder: float = 1e-5
    rate_judges: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    loss: str = "lsgan"
    r1: float = 1.0
    lam_v: float = 1.0
    lam_i: float = 1.0
    lam_enc: float = 1.0
    lam_w: float = 0.05
    width: int = 32
    scales: int = 2
    time: bool = True
    wrong_sound: bool = True
    ema: float = 0.99
    psi: float = 1.0
    checkpoint_s: float = 120.0
