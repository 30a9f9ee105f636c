"""A picture set and the backbone in one small file, for training where there is neither the data nor the wheel."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torchvision.io import decode_jpeg, encode_jpeg

from ....engine.errors import OutputError
from ....engine.files.atomic import replacing, tensors_into
from ...backbone import Backbone, released_weights
from ...data.photos import PictureSet

QUALITIES = (92, 85, 75, 65)
BACKBONE = "backbone."


def write_pack(data: PictureSet, path: Path, largest_mb: float) -> int:
    """Pictures as JPEG at the best quality that fits, all else as it is, the backbone in bfloat16; returns the
    quality. OutputError where not even the lowest fits.
    """
    rest = {k: v for k, v in vars(data).items() if k != "pictures"}
    for k, v in released_weights().items():
        rest[BACKBONE + k] = (v.bfloat16() if v.is_floating_point() else v).contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part, tensors_into(path):
        for quality in QUALITIES:
            jpegs = [_encode(x, quality) for x in data.pictures]
            lengths = torch.tensor([len(j) for j in jpegs])
            save_file(rest | {"jpeg": torch.cat(jpegs), "lengths": lengths}, part)
            if part.stat().st_size <= largest_mb * 1e6:
                return quality
        raise OutputError(f"{path}: the pictures do not fit into {largest_mb} MB", "Allow more, or pack a smaller set.")


def read_pack(path: Path) -> tuple[PictureSet, Backbone]:
    """What `write_pack` wrote."""
    tensors = load_file(path)
    weights = {k[len(BACKBONE) :]: _wide(v) for k, v in tensors.items() if k.startswith(BACKBONE)}
    jpegs = tensors["jpeg"].split(tensors["lengths"].tolist())
    pictures = torch.stack([cast(Tensor, decode_jpeg(j)) for j in jpegs])
    rest = {k: v for k, v in tensors.items() if not k.startswith(BACKBONE) and k not in ("jpeg", "lengths")}
    return PictureSet(pictures=pictures, **rest), Backbone(weights)


def _encode(picture: Tensor, quality: int) -> Tensor:
    return cast(Tensor, encode_jpeg(picture, quality))


def _wide(x: Tensor) -> Tensor:
    return x.float() if x.is_floating_point() else x
