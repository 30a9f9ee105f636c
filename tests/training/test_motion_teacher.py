"""E_RNN is taught in the arithmetic in which it is played."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from sonorama.engine.control.render_table import TABLE
from sonorama.engine.model.motion_rnn import MotionConfig, MotionNetwork
from sonorama.engine.pipeline.latent_motion import MotionState, StyleSpace, advance_motion
from sonorama.training.stages.motion_roll import Physics
from sonorama.training.stages.motion_teacher import ClipBatch, roll

SEED, STEPS, RATE_HZ = 11, 20, 12.0


def noise(shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """eps of every motion step, as a film with SEED draws it."""
    for step in range(STEPS):
        yield np.random.Generator(np.random.Philox(key=SEED, counter=step)).standard_normal(shape).astype(np.float32)


@pytest.fixture
def network() -> MotionNetwork:
    """A small E_RNN with every weight at work; other numbers of codes and cuts than the defaults."""
    torch.manual_seed(6)
    network = MotionNetwork(MotionConfig(8, 12, 16, (2, 5)), torch.randn(12), 0.5 + torch.rand(12))
    for name, parameter in network.named_parameters():
        if name.endswith("outward.weight"):
            parameter.data.normal_(std=0.3)
    return network.requires_grad_(False)


def played(network: MotionNetwork, base: np.ndarray, sounds: np.ndarray, presence: np.ndarray) -> np.ndarray:
    """Residual after each motion step [T,L,W] in units of sigma_w, by the code that plays films."""
    std = network.sigma_w.numpy()
    a, b = network.config.level_cuts
    levels = {"coarse": slice(0, a), "mid": slice(a, b), "fine": slice(b, network.config.num_ws)}
    space = StyleSpace(levels, network.config.num_ws, network.w_avg.numpy(), std, RATE_HZ)
    values = {path: p.default for path, p in TABLE.items()}
    rest = MotionState.rest(space, network.config.hidden)
    state = MotionState(**{**vars(rest), "anchor": sounds[0]})  # a clip begins in the middle of its sound

    def recur(u: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        delta, after = network(torch.from_numpy(u)[None], torch.from_numpy(h)[None])
        return delta[0].numpy(), after[0].numpy()

    made = []
    for sound, there in zip(sounds, presence, strict=True):
        state = advance_motion(space, values, state, base, sound, float(there), SEED, recur)
        made.append(state.residual / std)
    return np.stack(made)


def test_the_roll_of_the_training_is_the_stepper(network: MotionNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the network's own past, sound, noise and presence changing from step to step."""
    shape = (network.config.num_ws, network.config.w_dim)
    rng = np.random.default_rng(4)
    base, sounds = (rng.standard_normal(s).astype(np.float32) for s in (shape, (STEPS, *shape)))
    presence = rng.random(STEPS).astype(np.float32)
    drawn = noise(shape)
    monkeypatch.setattr(torch, "randn_like", lambda _: torch.from_numpy(next(drawn))[None])
    given, heard, there = (torch.from_numpy(x)[None] for x in (base, sounds, presence))
    batch = ClipBatch(given, heard, there, torch.zeros(1, STEPS, *shape))
    made, _ = roll(network, batch, Physics.defaults(network.config.level_sizes, RATE_HZ), own=1.0)
    film = played(network, base, sounds, presence)
    assert np.abs(made[0].numpy() - film).max() < 1e-6
    assert np.abs(film).max() > 0.05
