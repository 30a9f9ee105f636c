"""The discriminators of stage 0: heads on frozen features and raw colour, for whole pictures and for windows."""

from __future__ import annotations

from torch import Tensor, nn

from ...discriminators.colour import WHOLE, WINDOW, ColourDiscriminator
from ...discriminators.features import FeatureDiscriminator, hinge_d, hinge_g

Seen = tuple[Tensor, list[Tensor] | None]
"""A picture [B,3,H,W], and its backbone maps where the heads judge it too."""


class Pair(nn.Module):
    """Both discriminators of one kind of picture; weights: of heads and colour in the generator's loss."""

    def __init__(self, channels: tuple[int, ...], heads: float, colour: float) -> None:
        super().__init__()
        self.heads, self.colour = FeatureDiscriminator(), ColourDiscriminator(channels)
        self.weights = (heads, colour)

    def for_generator(self, fake: Seen) -> Tensor:
        """The weighted loss of the generator's side."""
        loss = self.weights[1] * hinge_g(self.colour(fake[0]))
        return loss if fake[1] is None else loss + self.weights[0] * hinge_g(self.heads(fake[1]))

    def for_itself(self, real: Seen, fake: Seen) -> dict[str, Tensor]:
        """Hinge losses of the two discriminators; 2 (heads: 8) is chance."""
        losses = {"colour": hinge_d(self.colour(real[0]), self.colour(fake[0].detach()))}
        if real[1] is not None and fake[1] is not None:
            losses["heads"] = hinge_d(self.heads(real[1]), self.heads([m.detach() for m in fake[1]]))
        return losses


class Judges(nn.Module):
    """Pairs for whole pictures and for windows."""

    def __init__(self, weights: tuple[float, float, float, float]) -> None:
        super().__init__()
        self.whole = Pair(WHOLE, *weights[:2])
        self.window = Pair(WINDOW, *weights[2:])

    def trained(self) -> list[nn.Parameter]:
        """Parameters that learn (the projections before the heads are fixed)."""
        return [p for p in self.parameters() if p.requires_grad]
