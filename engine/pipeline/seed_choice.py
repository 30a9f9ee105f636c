"""Chooses the seed that the picture travels to next: one whose picture fits the sound and the chosen seed."""

from __future__ import annotations

import numpy as np

from ..units import Array

STRIDE = 7_919
"""From one seed to the next where a world knows nothing about the pictures of its seeds."""
ALIKE = 0.8
"""Cosine of two pictures' codes above which the way from one to the other shows too little."""


def next_seed(codes: Array | None, home: int, now: int, number: int, sound: Array | None, changed: bool) -> int:
    """The best of a few seeds that are drawn from (home, number): always the same for the same arguments.

    Candidates are ranked by the cosine of their pictures to the sound embedding and to the picture of the chosen seed,
    both in the joint space; after a change of the sound, more are drawn and the sound counts double.

    Args:
        codes: of the pictures of the first N seeds, unit [N,D]; None where the world has none.
        home: the seed that was chosen, or that a prompt chose.
        now: the seed of the present picture, which is left out with all that look like it.
        number: counts the choices since `home` was chosen.
        sound: F_a(x), unit [D], or None in silence.
        changed: whether the sound has just changed.

    """
    if codes is None or len(codes) < 2:
        return (home + (number + 1) * STRIDE) % 2**31
    rng = np.random.default_rng((home, number))
    drawn = rng.choice(len(codes), min(32 if changed else 12, len(codes)), replace=False)
    if now < len(codes):
        other = codes[drawn] @ codes[now] < ALIKE
        drawn = drawn[other] if other.any() else drawn[drawn != now]
    fit = np.zeros(len(drawn))
    if home < len(codes):
        fit += _ranked(codes[drawn] @ codes[home])
    if sound is not None and sound.any():
        fit += (2 if changed else 1) * _ranked(codes[drawn] @ sound)
    return int(drawn[np.argmax(fit)])


def _ranked(cosines: Array) -> Array:
    """In standard deviations: pictures are far closer to pictures than to sounds."""
    return (cosines - cosines.mean()) / max(float(cosines.std()), 1e-6)
