"""The discriminators of stage 0: heads on frozen features and raw colour, for whole pictures and for windows."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ...discriminators.colour import WHOLE, WINDOW, ColourDiscriminator
from ...discriminators.features import FeatureDiscriminator, hinge_d, hinge_g

HEADS = 64
"""Channels of the heads: with 32 they were near chance (hinge loss 6.9 of 8) after 80,000 pictures with windows."""
Seen = tuple[Tensor, list[Tensor] | None]
"""A picture [B,3,H,W], and its backbone maps where the heads judge it too."""


class Pair(nn.Module):
    """Both discriminators of one kind of picture."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.heads, self.colour = FeatureDiscriminator(HEADS), ColourDiscriminator(channels)

    def for_generator(self, fake: Seen, heads: float, colour: float) -> Tensor:
        """The loss of the generator's side, with a weight for each of the two."""
        loss = colour * hinge_g(self.colour(fake[0]))
        return loss if fake[1] is None else loss + heads * hinge_g(self.heads(fake[1]))

    def for_itself(self, real: Seen, fake: Seen) -> dict[str, Tensor]:
        """Hinge losses of the two discriminators; 2 (heads: 8) is chance."""
        losses = {"colour": hinge_d(self.colour(real[0]), self.colour(fake[0].detach()))}
        if real[1] is not None and fake[1] is not None:
            losses["heads"] = hinge_d(self.heads(real[1]), self.heads([m.detach() for m in fake[1]]))
        return losses


def halved(picture: Tensor) -> Tensor:
    """A picture [B,C,H,W] at half its size."""
    return F.avg_pool2d(picture, 2)


class TwoScales(nn.Module):
    """A pair for windows at full size and one for the same at half their size, which sees what lies between a window's
    finest detail and whole 64 px pictures.
    """

    def __init__(self) -> None:
        super().__init__()
        self.full, self.small = Pair(WINDOW), Pair(WINDOW)

    def at(self, small: bool) -> Pair:
        """The pair of one size."""
        return self.small if small else self.full


class Judges(nn.Module):
    """Pairs for whole pictures and for windows."""

    def __init__(self) -> None:
        super().__init__()
        self.whole, self.window = Pair(WHOLE), TwoScales()

    def trained(self) -> list[nn.Parameter]:
        """Parameters that learn (the projections before the heads are fixed)."""
        return [p for p in self.parameters() if p.requires_grad]
