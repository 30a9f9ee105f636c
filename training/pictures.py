"""The pictures a generator learns: crops of real photos, and scenes drawn on them.

Each picture has a code: what a frozen backbone and a colour thumbnail say about it, reduced by PCA and put
on the sphere of radius sqrt(z_dim). The generator learns pictures from codes, so that W follows meaning and
colour, which the joint space (sound, text) can reach.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor
from torchvision.io import decode_image

from ..engine.errors import InputError
from .backbone import Backbone
from .data.procedural_pictures import CLASSES, draw

CLEAN = -1


def data_root(given: str | None = None) -> Path:
    """The data folder: the argument, else $SONORAMA_DATA, else ../shared/data. InputError if it is not there."""
    root = Path(given or os.environ.get("SONORAMA_DATA", "../shared/data"))
    if not (root / "MANIFEST.tsv").is_file():
        raise InputError(f"{root}: no MANIFEST.tsv, so this is not a data folder", "give it with --data FOLDER")
    return root


@dataclass(frozen=True)
class PictureSet:
    """pictures uint8 [N,3,S,S]; class_id [N] (index into CLASSES, CLEAN = -1); photo [N] (index of the photo
    a crop comes from); base [N] (index of the clean picture it was drawn on); codes [N,Z], flipped [N,Z]
    (code of the mirrored picture).
    """

    pictures: Tensor
    class_id: Tensor
    photo: Tensor
    base: Tensor
    codes: Tensor
    flipped: Tensor

    def batch(self, index: Tensor, flip: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Pictures [B,3,size,size] in [-1,1] and their codes [B,Z]; `flip` [B] mirrors some."""
        x = self.pictures[index].float() / 127.5 - 1
        x = torch.where(flip[:, None, None, None], x.flip(3), x)
        if size < x.shape[-1]:
            x = F.interpolate(x, (size, size), mode="area")
        return x, torch.where(flip[:, None], self.flipped[index], self.codes[index])


def read_crop(path: Path, size: int) -> Tensor:
    """float32 [3,size,size] in 0..1."""
    x = decode_image(str(path)).float()[None, :3] / 255
    return F.interpolate(x, (size, size), mode="bicubic", antialias=True)[0].clamp(0, 1)


def describe(x: Tensor, backbone: Backbone) -> Tensor:
    """Pictures [B,3,S,S] in [-1,1] -> raw descriptors [B,816]: last map pooled, middle map pooled 2 x 2,
    4 x 4 colour thumbnail.
    """
    maps = backbone(x)
    parts = [maps[3].mean((2, 3)), F.adaptive_avg_pool2d(maps[2], 2).flatten(1)]
    return torch.cat([*parts, F.adaptive_avg_pool2d(x, 4).flatten(1)], dim=1)


@dataclass(frozen=True)
class CodeBook:
    """Descriptor -> code: standardise, project on `axes`, put on the sphere. Tensors, so it can be saved."""

    mean: Tensor
    std: Tensor
    axes: Tensor

    @staticmethod
    def fit(raw: Tensor, z_dim: int) -> CodeBook:
        """PCA of the standardised descriptors [N,D], N >= z_dim; each axis is divided by the root of its deviation
        (half whitening: all axes speak, the strong ones still louder). The same on every run.
        """
        mean, std = raw.mean(0), raw.std(0) + 1e-6
        _, _, axes = torch.linalg.svd((raw - mean) / std, full_matrices=False)
        v = axes[:z_dim].T
        spread = (((raw - mean) / std) @ v).std(0)
        return CodeBook(mean, std, v / spread.sqrt())

    def encode(self, raw: Tensor) -> Tensor:
        """[B,D] -> [B,Z], each of length sqrt(Z)."""
        z = ((raw - self.mean) / self.std) @ self.axes
        return F.normalize(z, dim=1) * z.shape[1] ** 0.5


def _draw_all(root: Path, size: int, variants: int) -> dict[str, Tensor]:
    paths = sorted((root / "images_crops").glob("*.jpg"))
    photos = sorted({p.stem.rsplit("__", 1)[0] for p in paths})
    rng = torch.Generator().manual_seed(1)
    rows: list[tuple[Tensor, int, int, int]] = []
    for i, path in enumerate(paths):
        x = read_crop(path, size)
        base, photo = len(rows), photos.index(path.stem.rsplit("__", 1)[0])
        rows.append((x, CLEAN, photo, base))
        for k in torch.randperm(len(CLASSES), generator=rng)[:variants].tolist():
            s, t = (torch.rand(2, generator=rng) * torch.tensor([0.5, 60.0]) + torch.tensor([0.5, 0.0])).tolist()
            rows.append((draw(x, CLASSES[k], s, t, i), k, photo, base))
    keys = ("class_id", "photo", "base")
    meta = {k: torch.tensor([r[j + 1] for r in rows]) for j, k in enumerate(keys)}
    return {"pictures": torch.stack([(r[0] * 255).round().to(torch.uint8) for r in rows]), **meta}


@torch.no_grad()
def _descriptors(pictures: Tensor, backbone: Backbone, flip: bool) -> Tensor:
    out = []
    for chunk in pictures.split(32):
        x = chunk.float() / 127.5 - 1
        out.append(describe(x.flip(3) if flip else x, backbone))
    return torch.cat(out)


def picture_set(root: Path, cache: Path, size: int = 256, variants: int = 2, z_dim: int = 128) -> PictureSet:
    """All crops under `root`/images_crops, each with `variants` scenes drawn on it; made once, then read from
    `cache` (a safetensors file, which also keeps the code book as code.*).
    """
    if not cache.is_file():
        made = _draw_all(root, size, variants)
        backbone = Backbone()
        raw, raw_flipped = (_descriptors(made["pictures"], backbone, f) for f in (False, True))
        book = CodeBook.fit(torch.cat([raw, raw_flipped]), z_dim)
        made |= {"codes": book.encode(raw), "flipped": book.encode(raw_flipped)}
        made |= {"code.mean": book.mean, "code.std": book.std, "code.axes": book.axes.contiguous()}
        cache.parent.mkdir(parents=True, exist_ok=True)
        save_file(made, cache)
    tensors = load_file(cache)
    return PictureSet(**{k: v for k, v in tensors.items() if not k.startswith("code.")})


def code_book(cache: Path) -> CodeBook:
    """The code book that `picture_set` left in its cache."""
    tensors = load_file(cache)
    return CodeBook(tensors["code.mean"], tensors["code.std"], tensors["code.axes"])
