"""How strongly a world plays what its stages learned: R and D_c are packed at a share of their length.

They are learned at full length, where they show best in the objectives; but the farther the style codes are led from
the place of a class, the less the picture looks like a photo.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class PlayedStrength:
    """Shares of what was learned, in worlds that have places; in others it is played as it was learned.

    Kernel distances x 1000 to photos of whole pictures and of 96 px squares, 27 recordings at five moments each: 1,166
    and 402 at 0.5 of both and 0.75 for storms and under water; 1,020 and 364 at the shares below; 739 and 352 without
    both, where flames are gone.

    Attributes:
        response: of R, the part of E_a that is no displacement of a class, for every sound.
        displacement: of D_c, where the class has places.
        of_classes: of D_c of classes that show in light and colour more than in things.

    """

    response: float = 0.3
    displacement: float = 0.3
    of_classes: tuple[tuple[str, float], ...] = (
        ("thunderstorm", 1.0),
        ("fire_crackling", 1.0),
        ("underwater_bubbling", 1.0),
    )

    def displacements(self, ways: Tensor, classes: Sequence[str], placed: Tensor) -> Tensor:
        """D [K,L,W] as it is packed. placed: the classes that have places, as indices."""
        told, known = dict(self.of_classes), set(placed.tolist())
        shares = [told.get(name, self.displacement) if k in known else 1.0 for k, name in enumerate(classes)]
        return ways * torch.tensor(shares)[:, None, None]

    def encoder(self, state: Mapping[str, Tensor], placed: Tensor) -> dict[str, Tensor]:
        """The tensors of E_a as they are packed: its last layers are linear, so scaling them scales R."""
        share = self.response if len(placed) else 1.0
        return {name: x * share if name.startswith("last.") else x for name, x in state.items()}
