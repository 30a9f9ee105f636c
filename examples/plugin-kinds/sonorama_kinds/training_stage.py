"""`--stage palette`: keeps the mean colour that the generator paints from each of 64 seeds in the world file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sonorama.engine.plugins.interfaces import StageRun


class Palette:
    """Makes `palette.colours` [64,3], red, green and blue in 0..1."""

    inputs = ("generator",)
    outputs = ("palette",)

    def run(self, run: StageRun, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Paint and average."""
        import torch

        generator = inputs["generator"]
        z = torch.randn(64, generator.config.z_dim, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            rows = [generator.synthesis(generator.mapping(one[None], 0.7), "const") for one in z]
        colours = torch.cat([(row * 0.5 + 0.5).clamp(0, 1).mean((2, 3)) for row in rows])
        run.note("palette", {"mean": round(float(colours.mean()), 4)})
        return {"palette": {"colours": colours}}
