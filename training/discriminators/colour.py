"""A small convolutional discriminator of raw colour: it sees the fringes that features of a backbone pass over."""

from __future__ import annotations

import itertools

from torch import Tensor, nn

from ..losses.adversarial import squared_gradient

WHOLE = (24, 48, 96, 128)
"""Channels for whole 64 px pictures."""
WINDOW = (24, 48, 96, 96)
"""Channels for windows: half as many again as at first, when discriminators were near chance after 80,000 pictures."""


class ColourDiscriminator(nn.Module):
    """Conv 3 x 3, then 4 x 4 with stride 2; picture [B,3,H,W] -> list of one map of scores."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, channels[0], 3, padding=1), nn.LeakyReLU(0.2)]
        for n_in, n_out in itertools.pairwise(channels):
            layers += [nn.Conv2d(n_in, n_out, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        self.net = nn.Sequential(*layers, nn.Conv2d(channels[-1], 1, 3, padding=1))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Scores as the other discriminators give them."""
        return [self.net(x)]


def gradient_penalty(judge: ColourDiscriminator, real: Tensor) -> Tensor:
    """R1 of the scores, summed over the places of a picture."""
    return squared_gradient(lambda x: judge(x)[0].sum(), real)
