"""Backbone maps of all real pictures at one size, computed once and kept in half precision."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from ...checkpoints import write_tensors
from ...data.photos import PictureSet


class RealFeatures:
    """Maps of every picture at `side` px of height, seen by the backbone at `height`; kept in a file below `folder`
    so that a resumed run need not compute them again. Its name holds a checksum of the pictures and the precision:
    others get another file.

    Args:
        data: the pictures.
        see: pictures [B,3,H,W] and a height -> maps, as it sees generated pictures: discriminators compare the two, and
            would tell one precision from another.
        precision: of `see`.
        side, height, folder: see above.

    """

    def __init__(
        self, data: PictureSet, see: Callable[[Tensor, int], list[Tensor]], precision: str, side: int, height: int,
        folder: Path,
    ) -> None:  # fmt: skip
        checksum = zlib.crc32(data.pictures.cpu().numpy().data)
        path = folder / f"features_{side}_{height}_{precision}_{checksum:08x}.safetensors"
        if not path.is_file():
            write_tensors(path, self._compute(data, see, side, height))
        device = data.pictures.device
        self.maps = [m.to(device) for _, m in sorted(load_file(path).items())]

    @staticmethod
    @torch.no_grad()
    def _compute(
        data: PictureSet, see: Callable[[Tensor, int], list[Tensor]], side: int, height: int
    ) -> dict[str, Tensor]:
        rows = torch.arange(len(data.pictures), device=data.pictures.device)
        chunks = [see(data.at(r, side), height) for r in rows.split(32)]
        return {f"map{i}": torch.cat([c[i].half() for c in chunks]).cpu().contiguous() for i in range(len(chunks[0]))}

    def at(self, index: Tensor) -> list[Tensor]:
        """Maps [B,C,h,w] of some pictures in float32."""
        return [m[index].float() for m in self.maps]
