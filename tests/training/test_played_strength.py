"""Worlds are packed with a share of what was learned, where places show the classes."""

import torch

from sonorama.engine.model.sound_inversion import EncoderConfig, SoundInversionEncoder
from sonorama.training.played_strength import PlayedStrength

STRENGTH = PlayedStrength(0.5, 0.25, (("b", 0.75),))
NONE = torch.zeros(0, dtype=torch.int64)


def test_displacements_of_classes_with_places_are_shorter() -> None:
    ways = torch.ones(3, 2, 4)
    packed = STRENGTH.displacements(ways, ("a", "b", "c"), torch.tensor([0, 0, 1]))
    assert packed[:, 0, 0].tolist() == [0.25, 0.75, 1.0]
    assert torch.equal(STRENGTH.displacements(ways, ("a", "b", "c"), NONE), ways)


@torch.no_grad()
def test_r_is_multiplied_exactly() -> None:
    torch.manual_seed(4)
    network = SoundInversionEncoder(EncoderConfig(6, 8, 5, (8, 8), 8, (2, 4)))
    for parameter in network.parameters():
        parameter.normal_()
    window, code = torch.rand(2, 1, 128, 88), torch.rand(2, 5)
    whole, presence = network(window, code)
    state = {name: x.clone() for name, x in network.state_dict().items()}
    network.load_state_dict(STRENGTH.encoder(state, torch.tensor([2])))
    half, same = network(window, code)
    torch.testing.assert_close(half, whole / 2)
    assert torch.equal(same, presence) and whole.abs().max() > 0.1
    network.load_state_dict(STRENGTH.encoder(state, NONE))
    assert torch.equal(network(window, code)[0], whole)
