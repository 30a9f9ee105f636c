"""E_RNN at rest: an answer that never ends goes, its movement stays."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from sonorama.engine.model.motion_rnn import MotionConfig, MotionNetwork
from sonorama.engine.model.sound_inversion import EncoderConfig, SoundInversionEncoder
from sonorama.training.stages.motion_rest import RestSounds, RestTraining, rest_sounds, train_rest

PLAN = RestTraining(steps=120, batch=6, ticks=15, seconds=6.0, rate=3e-3)
CONFIG = MotionConfig(5, 6, 8, (1, 3))


def drifting() -> MotionNetwork:
    """It answers 0.8 whatever it hears, and some of what it hears."""
    torch.manual_seed(3)
    network = MotionNetwork(CONFIG, torch.zeros(6), torch.full((6,), 0.7))
    for name, p in network.named_parameters():
        if "outward.weight" in name:
            torch.nn.init.normal_(p, std=0.3)
        elif "outward.bias" in name:
            torch.nn.init.constant_(p, 0.8)
    return network


def sounds() -> RestSounds:
    """Hits twice a second, of different displacements, at 15 motion steps a second."""
    rng = torch.Generator().manual_seed(4)
    hits = (torch.arange(90) % 7 < 2).float()[None, :, None, None] * torch.randn(8, 1, 5, 6, generator=rng)
    return RestSounds(hits.half(), torch.ones(8, 90))


def places(count: int) -> Tensor:
    return 0.7 * torch.randn(count, 1, 6).expand(-1, 5, -1)


def test_it_moves_about_its_place() -> None:
    network = drifting()
    torch.manual_seed(6)
    found = train_rest(network, sounds(), places, 15.0, PLAN)
    assert found["offset_before"] > 0.2
    assert found["offset_after"] < 0.4 * found["offset_before"]
    assert found["speed_after"] > 0.5 * found["speed_before"]
    with torch.no_grad():
        silent = network(torch.zeros(1, 5, 6), network.start())[0]
    assert silent.abs().mean() < 0.5, "it was 0.8"


def test_a_shorter_plan_has_something_of_everything() -> None:
    short = RestTraining().shorter(0.01, 3)
    assert (short.steps, short.sounds, short.seconds) == (4, 1, 2.0)
    assert RestTraining().shorter(2.0, 3) == RestTraining()
    assert replace(RestTraining(), steps=0).shorter(0.5, 3).steps == 0


@pytest.mark.parametrize("columns", [20, 2000])
def test_short_recordings_are_repeated(columns: int) -> None:
    """E_a of a recording that is too short goes on; silence is not displaced."""
    encoder = SoundInversionEncoder(EncoderConfig(5, 6, 4, widths=(8, 8), hidden=16, groups=4, level_cuts=(1, 3)))
    rng = torch.Generator().manual_seed(1)
    mels = [[0.7 * torch.rand(128, columns, generator=rng) ** 0.1] * 4, [torch.zeros(128, columns)]]
    plan = replace(PLAN, sounds=2, seconds=2.0)
    heard = rest_sounds(encoder, lambda x: torch.ones(len(x), 4), torch.ones(2, 5, 6), mels, 15.0, plan)
    assert heard.heard.shape == (3, 30, 5, 6), "two of the first class, one of the second"
    assert heard.there[:2, -1].min() > 0.9
    assert heard.heard[0, -1].mean() > 0.3
    assert heard.heard[2].abs().max() == 0, "silence"
