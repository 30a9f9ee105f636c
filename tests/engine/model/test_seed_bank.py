"""Seeds as a world's card wants them: how far from the average, and how much of a second anchor."""

import numpy as np
import pytest

from sonorama.engine.control.addresses import LOOK_TRUNCATION
from sonorama.engine.control.render_table import TABLE
from sonorama.engine.model.seed_bank import FARTHEST, TRUNCATION, SeedBank, seed_to_z
from sonorama.engine.units import Array

Z, W, CODES = 16, 8, 3
RNG = np.random.default_rng(3)
ANCHORS = RNG.standard_normal((9, Z)).astype(np.float32)
MAPPING = RNG.standard_normal((W, Z)).astype(np.float32)
W_AVG = RNG.standard_normal(W).astype(np.float32)


def to_w(z: Array) -> Array:
    return MAPPING @ z


def bank(truncation: float = TRUNCATION, mixing: float = 0.5) -> SeedBank:
    return SeedBank(to_w, W_AVG, CODES, Z, ANCHORS, truncation=truncation, mixing=mixing)


@pytest.mark.parametrize("truncation", [0.5, 0.7, 1.0])
def test_the_default_plays_a_seed_at_the_truncation_of_the_card(truncation: float) -> None:
    w = to_w(seed_to_z(5, Z, ANCHORS))
    played = bank(truncation).base(5, TRUNCATION, 0.0, None, 0.0)
    assert np.allclose(played, W_AVG + truncation * (w - W_AVG), atol=1e-5)
    assert np.allclose(bank(truncation).base(5, 0.0, 0.0, None, 0.0), W_AVG, atol=1e-6)


def shares_of_nearest(mixing: float) -> list[float]:
    """By how much the nearest anchor of each seed is nearer than others: cosine to it."""
    units = ANCHORS / np.linalg.norm(ANCHORS, axis=1, keepdims=True)
    return [float((units @ seed_to_z(seed, Z, ANCHORS, mixing)).max() / np.sqrt(Z)) for seed in range(40)]


def test_less_mixing_brings_seeds_nearer_to_an_anchor() -> None:
    none, quarter, half = (np.mean(shares_of_nearest(mixing)) for mixing in (0.0, 0.25, 0.5))
    assert none > quarter > half
    assert none > 0.98  # but for the noise


def test_seeds_of_older_worlds_are_what_they_were() -> None:
    assert np.array_equal(seed_to_z(7, Z, ANCHORS), seed_to_z(7, Z, ANCHORS, 0.5))
    assert np.array_equal(bank().latent(7), to_w(seed_to_z(7, Z, ANCHORS)))


def test_the_ends_of_the_range_are_the_same_in_every_world() -> None:
    w = to_w(seed_to_z(5, Z, ANCHORS))
    assert TABLE[LOOK_TRUNCATION].high == FARTHEST
    assert TABLE[LOOK_TRUNCATION].default == TRUNCATION
    for truncation in (0.5, 0.7, 1.0):
        assert np.allclose(
            bank(truncation).base(5, FARTHEST, 0.0, None, 0.0), W_AVG + FARTHEST * (w - W_AVG), atol=1e-5
        )
        psi = np.linspace(0, FARTHEST, CODES, dtype=np.float32)[:, None]
        rows = bank(truncation).base(5, psi, 0.0, None, 0.0)
        assert rows.dtype == np.float32
        assert (np.diff(np.linalg.norm(rows - W_AVG, axis=1)) > 0).all()


def test_a_world_of_one_picture_has_seeds() -> None:
    anchor = np.random.default_rng(0).standard_normal((1, 32)).astype(np.float32)
    one, other = (seed_to_z(seed, 32, anchor) for seed in (1, 2))
    assert one.shape == (32,) and not np.array_equal(one, other)
    assert one @ anchor[0] > 0.9 * np.linalg.norm(one) * np.linalg.norm(anchor)
