"""The pictures a generator learns: crops of real photos in the world's shape, and one procedural scene on each.

Each picture has a code: what a frozen backbone and a colour thumbnail say about it, reduced by PCA and put on the
sphere of radius sqrt(z_dim). The generator learns pictures from codes, so that W follows meaning and colour, which
the joint space (sound, text) can reach.

Where the manifest has a column `split`, photos that it calls held-out are held out, with all their crops. Elsewhere
every eighth photo is, and every eighth panorama with all its views; photos of a class that has one or two stay in,
since the world would not know the class without them. Square photos and panorama
views are cropped to the world's shape like all others: cropping costs a quarter of their height and nothing else,
while a square taught as a window of a wide picture has no code of its own for what lies beside it. What is then
too small for full resolution is taught at the low sizes only (`sharp`).
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor
from torchvision.io import decode_image

from ...engine.errors import InputError
from ..backbone import Backbone, describe
from ..checkpoints import write_tensors
from .procedural_pictures import CLASSES, draw
from .splits import HELD_OUT

CLEAN = -1
FOLDERS = ("images", "photos", "panoramas")
HELD_EVERY = 8
PICTURES = "pictures.safetensors"
"""Where a work folder keeps its picture set."""


def data_root(given: str | None = None) -> Path:
    """The data folder: the argument, else $SONORAMA_DATA, else ../shared/data. InputError if it is not there."""
    root = Path(given or os.environ.get("SONORAMA_DATA", "../shared/data"))
    if not (root / "MANIFEST.tsv").is_file():
        raise InputError(f"{root}: no MANIFEST.tsv, so this is not a data folder", "Give it with --data FOLDER.")
    return root


Scene = Callable[[Tensor, str, float, float, int], Tensor]
"""draw(photo [3,H,W] in 0..1, class, strength 0..1, time in s, seed) -> picture of the same shape."""


@dataclass(frozen=True)
class CropPlan:
    """Which crops a photo gives, and how often each is drawn.

    detail: a second crop of this share of the full crop's width, on alternating sides: other compositions and finer
    texture, at `detail_weight` of the full crop's draws (many alike targets slow the fit: 14 overlapping crops a
    photo left the first world underfit). tall: photos below this aspect give an upper and a lower full crop, since
    one would lose more than a fifth of them; wide: those above it a left and a right one. panorama_weight: views
    of one panorama overlap, about five make one photo. sharp: a crop at least this share of the world's width is
    taught at full resolution too. clean: share of draws that show photos without a scene.
    """

    detail: float = 0.6
    detail_weight: float = 0.3
    tall: float = 1.4
    wide: float = 2.4
    panorama_weight: float = 0.2
    panorama_seeds: int = 4
    sharp: float = 0.85
    clean: float = 0.7


@dataclass(frozen=True)
class Crop:
    """One rectangle of one photo file: left, top, width, height as shares; weight of its draws; whole: the largest
    that fits, which seeds are made from (of panorama views only some).
    """

    path: Path
    photo: int
    box: tuple[float, float, float, float]
    weight: float
    whole: bool
    held: bool


@dataclass(frozen=True)
class PictureSet:
    """All pictures of a world, held-out ones included.

    pictures uint8 [N,3,H,W]; class_id [N] (index into CLASSES, CLEAN = -1); photo [N] (index of the photo or
    panorama a crop comes from); base [N] (index of the clean picture it was drawn on); codes [N,Z]; weight [N] of
    draws (0: held out); sharp [N]: good at full resolution; whole [N]: what seeds are made from; held [N].
    """

    pictures: Tensor
    class_id: Tensor
    photo: Tensor
    base: Tensor
    codes: Tensor
    weight: Tensor
    sharp: Tensor
    whole: Tensor
    held: Tensor

    def to(self, device: torch.device) -> PictureSet:
        """The same on another device."""
        return replace(self, **{k: v.to(device) for k, v in vars(self).items()})

    def at(self, index: Tensor, height: int) -> Tensor:
        """Pictures [B,3,height,W] in [-1,1], made smaller by averaging."""
        x = self.pictures[index].float() / 127.5 - 1
        return F.avg_pool2d(x, x.shape[2] // height) if height < x.shape[2] else x

    def smaller(self, height: int) -> PictureSet:
        """The same pictures at a smaller height that divides theirs. InputError for any other."""
        rows = self.pictures.shape[2]
        if rows % height:
            raise InputError(
                f"pictures of {rows} px cannot be made {height} px high", f"Give a size that divides {rows}."
            )
        if rows == height:
            return self
        chunks = [F.avg_pool2d(x.float(), rows // height).round().to(torch.uint8) for x in self.pictures.split(64)]
        return replace(self, pictures=torch.cat(chunks))

    @property
    def anchors(self) -> Tensor:
        """Codes [A,Z] that seeds mix: whole clean crops of the training photos."""
        return self.codes[(self.class_id == CLEAN) & self.whole & ~self.held]


def _rows(root: Path) -> list[tuple[str, str, str]]:
    """(file, class, split) of every photo in the manifest, in the order of the files' names; split: train, held-out, or
    nothing where the manifest does not say.
    """
    with (root / "MANIFEST.tsv").open(newline="", encoding="utf-8") as file:
        rows = [(r["file"], r["class"], r.get("split") or "") for r in csv.DictReader(file, delimiter="\t")]
    found = sorted(r for r in rows if r[0].split("/")[0] in FOLDERS and (root / r[0]).is_file())
    if not found:
        raise InputError(f"{root}: its manifest names no photo that is there", "Give a data folder with images/.")
    return found


def _held(rows: list[tuple[str, str, str]], photo_of: list[str]) -> set[str]:
    """Names of the photos and panoramas that are kept out of training."""
    if any(split for _, _, split in rows):
        return {name for (_, _, split), name in zip(rows, photo_of, strict=True) if split == HELD_OUT}
    photos = {name: row[1] for row, name in zip(rows, photo_of, strict=True) if not row[0].startswith("panoramas/")}
    counts = Counter(photos.values())
    order = sorted(photos, key=lambda name: (photos[name], name))
    held = {name for i, name in enumerate(order) if i % HELD_EVERY == HELD_EVERY // 2 and counts[photos[name]] > 2}
    panoramas = sorted({name for row, name in zip(rows, photo_of, strict=True) if row[0].startswith("panoramas/")})
    return held | set(panoramas[HELD_EVERY // 2 :: HELD_EVERY])


def _boxes(aspect: float, shape: float, plan: CropPlan, index: int, panorama: bool) -> list[tuple[float, ...]]:
    """(left, top, width, height, weight) of the crops of one photo; those of full extent first."""
    width, height = min(1.0, shape / aspect), min(1.0, aspect / shape)
    if panorama:
        return [(0.0, (1 - height) / 2, width, height, plan.panorama_weight)]
    at: tuple[tuple[float, float], ...] = ((0.5, 0.5),)
    if aspect < plan.tall:
        at = ((0.5, 0.1), (0.5, 0.9))
    elif aspect > plan.wide:
        at = ((0.1, 0.5), (0.9, 0.5))
    whole = [((1 - width) * x, (1 - height) * y, width, height, 1.0 / len(at)) for x, y in at]
    w, h = width * plan.detail, height * plan.detail
    left, top = (1 - w) * (0.05, 0.95)[index % 2], (1 - h) * (0.85, 0.5, 0.7)[index % 3]
    return [*whole, (left, top, w, h, plan.detail_weight)]


def photo_names(files: Iterable[str]) -> list[str]:
    """Names of the photos or panoramas that files of a manifest show."""
    return [Path(f).stem.rsplit("_y", 1)[0] if f.startswith("panoramas/") else Path(f).stem for f in files]


def photo_tags(root: Path, label: Callable[[str, str], str] | None = None) -> list[str]:
    """What each photo or panorama of a data folder shows, as `PictureSet.photo` counts them; label: file, class in the
    manifest -> what to take it for.
    """
    rows = _rows(root)
    tags = {
        name: tag if label is None else label(file, tag)
        for name, (file, tag, _) in zip(photo_names(file for file, _, _ in rows), rows, strict=True)
    }
    return [tags[name] for name in sorted(tags)]


def crops(root: Path, shape: float, plan: CropPlan) -> list[Crop]:
    """Every crop of every photo under `root`, for a world of aspect `shape` (width / height)."""
    rows = _rows(root)
    names = photo_names(file for file, _, _ in rows)
    order, held, found = sorted(set(names)), _held(rows, names), list[Crop]()
    views = Counter[str]()
    for i, ((file, _, _), name) in enumerate(zip(rows, names, strict=True)):
        _, high, wide = decode_image(str(root / file)).shape
        panorama = file.startswith("panoramas/")
        boxes = _boxes(wide / high, shape, plan, i, panorama)
        for k, (left, top, w, h, weight) in enumerate(boxes):
            whole = views[name] % plan.panorama_seeds == 0 if panorama else k < len(boxes) - 1
            views[name] += 1
            out = name in held
            found.append(Crop(root / file, order.index(name), (left, top, w, h), 0.0 if out else weight, whole, out))
    return found


def read_crop(crop: Crop, height: int, width: int) -> tuple[Tensor, int]:
    """float32 [3,height,width] in 0..1, and the crop's own width in px."""
    x = decode_image(str(crop.path)).float()[None, :3] / 255
    x = x.expand(-1, 3, -1, -1)
    rows, columns = x.shape[2:]
    left, top, w, h = crop.box
    x = x[:, :, round(top * rows) : round((top + h) * rows), round(left * columns) : round((left + w) * columns)]
    return F.interpolate(x, (height, width), mode="bicubic", antialias=True)[0].clamp(0, 1), x.shape[3]


@dataclass(frozen=True)
class CodeBook:
    """Descriptor -> code: standardise, project on `axes`, put on the sphere. Tensors, so it can be saved."""

    mean: Tensor
    std: Tensor
    axes: Tensor

    @staticmethod
    def fit(raw: Tensor, z_dim: int) -> CodeBook:
        """PCA of the standardised descriptors [N,D]; each axis is divided by the root of its deviation (half whitening:
        all axes speak, the strong ones still louder). The same on every run. Where N < z_dim, the axes that so few
        pictures do not have are 0.
        """
        mean, std = raw.mean(0), raw.std(0) + 1e-6
        _, _, axes = torch.linalg.svd((raw - mean) / std, full_matrices=False)
        v = axes[:z_dim].T
        spread = (((raw - mean) / std) @ v).std(0)
        return CodeBook(mean, std, F.pad(v / spread.sqrt().clamp_min(1e-3), (0, z_dim - v.shape[1])))

    def encode(self, raw: Tensor) -> Tensor:
        """[B,D] -> [B,Z], each of length sqrt(Z)."""
        z = ((raw - self.mean) / self.std) @ self.axes
        return F.normalize(z, dim=1) * z.shape[1] ** 0.5


def _draw_all(found: list[Crop], height: int, width: int, plan: CropPlan, scene: Scene) -> dict[str, Tensor]:
    """Clean pictures first, then one scene on each; classes take turns."""
    read = [read_crop(crop, height, width) for crop in found]
    n, rng = len(found), torch.Generator().manual_seed(1)
    classes = torch.arange(n) % len(CLASSES)
    moods = torch.rand(n, 2, generator=rng) * torch.tensor([0.5, 60.0]) + torch.tensor([0.5, 0.0])
    drawn = [
        scene(x, CLASSES[k], strength, time_s, i)
        for i, ((x, _), k, (strength, time_s)) in enumerate(zip(read, classes.tolist(), moods.tolist(), strict=True))
    ]
    clean = torch.tensor([crop.weight for crop in found])
    weight = torch.cat([clean * plan.clean, clean * (1 - plan.clean)])
    bits = {
        "sharp": [own >= plan.sharp * width for _, own in read],
        "whole": [crop.whole for crop in found],
        "held": [crop.held for crop in found],
    }
    return {
        "pictures": torch.stack([(x * 255).round().to(torch.uint8) for x in [*(x for x, _ in read), *drawn]]),
        "class_id": torch.cat([torch.full((n,), CLEAN), classes]),
        "photo": torch.tensor([crop.photo for crop in found]).repeat(2),
        "base": torch.arange(n).repeat(2),
        "weight": weight / weight.sum(),
        **{k: torch.tensor(v).repeat(2) for k, v in bits.items()},
    }


@torch.no_grad()
def descriptors(pictures: Tensor, backbone: Backbone) -> Tensor:
    """Raw descriptors [N,D] of pictures uint8 [N,3,H,W]."""
    aspect = pictures.shape[3] / pictures.shape[2]
    return torch.cat([describe(chunk.float() / 127.5 - 1, backbone, aspect) for chunk in pictures.split(32)])


def picture_set(
    root: Path, cache: Path, height: int = 256, width: int = 448, z_dim: int = 128,
    plan: CropPlan | None = None, scene: Scene = draw,
) -> PictureSet:  # fmt: skip
    """All crops of the photos under `root`, each with one scene; made once, then read from `cache` (a safetensors
    file, which also keeps the code book as code.*). The book is fitted on clean training pictures only, so that
    scenes can be drawn anew without changing the photos' codes.
    """
    if not cache.is_file():
        plan = plan or CropPlan()
        made = _draw_all(crops(root, width / height, plan), height, width, plan, scene)
        raw = descriptors(made["pictures"], Backbone())
        book = CodeBook.fit(raw[(made["class_id"] == CLEAN) & ~made["held"]], z_dim)
        made |= {"codes": book.encode(raw)}
        made |= {"code.mean": book.mean, "code.std": book.std, "code.axes": book.axes.contiguous()}
        write_tensors(cache, made)
    tensors = load_file(cache)
    return PictureSet(**{k: v for k, v in tensors.items() if not k.startswith("code.")})


def code_book(cache: Path) -> CodeBook:
    """The code book that `picture_set` left in its cache."""
    tensors = load_file(cache)
    return CodeBook(tensors["code.mean"], tensors["code.std"], tensors["code.axes"])
