"""Distances between sets of pictures, under their own names: features are EfficientNet-Lite0's, so nothing here is an
FID, a KID of the literature, or LPIPS.

Pictures of a generator are compared with photos that were kept out of its training, whole and in 96 px squares at full
resolution, and so are the training photos, which is the figure to reach. Every distance is unbiased and stands with a
95 % interval over splits.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...engine.errors import InputError
from ..backbone import Backbone
from ..data.photos import CLEAN, PictureSet

SPLITS = 5
STUDENT = {5: 2.776, 6: 2.571, 8: 2.365, 10: 2.262}
"""Two-sided 95 % quantiles of Student's t for so many splits."""
LEAST_HELD = 3
"""Photos of which every split leaves two."""
PATCH = 96
COPIED = 0.1
"""Mean cosine distance to the nearest training picture below which a generator repeats them, as of MiFID."""
POOLED = 432
"""Numbers of a picture's descriptor."""


@dataclass(frozen=True)
class Estimate:
    """Mean over splits and a 95 % interval for it."""

    mean: float
    low: float
    high: float

    @staticmethod
    def of(values: list[float]) -> Estimate:
        """From one value a split; as many splits as STUDENT knows."""
        mean = sum(values) / len(values)
        deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))
        half = STUDENT[len(values)] * deviation / math.sqrt(len(values))
        return Estimate(mean, mean - half, mean + half)


@dataclass(frozen=True)
class PictureDistances:
    """whole, patch: kernel distances (x 1000) of generated pictures to held-out photos; *_real: those of training
    photos to held-out ones. nearest: mean cosine distance of a generated picture's features to the nearest training
    picture's; nearest_held: the same for held-out photos.
    """

    whole: Estimate
    whole_real: Estimate
    patch: Estimate
    patch_real: Estimate
    nearest: float
    nearest_held: float

    @property
    def whole_copying(self) -> float:
        """The whole distance as MiFID takes it (Bai et al. 2021): divided by `nearest` where that is below COPIED."""
        return self.whole.mean / (max(self.nearest, 1e-6) if self.nearest < COPIED else 1.0)

    def table(self) -> dict[str, object]:
        """For JSON, rounded."""
        told: dict[str, object] = {
            k: [round(x, 1) for x in v.values()] if isinstance(v, dict) else round(v, 4)
            for k, v in asdict(self).items()
        }
        return told | {"whole_copying": round(self.whole_copying, 1)}


@torch.no_grad()
def pooled(pictures: Tensor, backbone: Backbone, height: int = 128) -> Tensor:
    """Descriptors [N,432] of pictures [N,3,H,W], uint8 or in [-1,1]: the two deepest maps, pooled."""
    rows = []
    for chunk in pictures.split(16):
        x = chunk.float() / 127.5 - 1 if chunk.dtype == torch.uint8 else chunk
        maps = backbone(x, height)
        rows.append(torch.cat([maps[2].mean((2, 3)), maps[3].mean((2, 3))], 1))
    return torch.cat(rows)


def kernel_distance(a: Tensor, b: Tensor) -> float:
    """Unbiased squared MMD with the polynomial kernel (x.y / D + 1)^3 of KID (Binkowski et al. 2018), on our
    standardised backbone features [N,D], [M,D].

    torchmetrics' KID draws random subsets, and takes as many pictures of both sets; ours differ in number.
    """

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.T / x.shape[1] + 1) ** 3

    n, m = len(a), len(b)
    aa, bb = kernel(a, a), kernel(b, b)
    within = (aa.sum() - aa.trace()) / (n * (n - 1)) + (bb.sum() - bb.trace()) / (m * (m - 1))
    return float(within - 2 * kernel(a, b).mean())


def nearest(a: Tensor, b: Tensor) -> float:
    """Mean over a [N,D] of the cosine distance to the nearest of b [M,D]."""
    return float((1 - F.normalize(a, dim=1) @ F.normalize(b, dim=1).T).amin(1).mean())


def split_distance(
    made: Tensor, made_group: Tensor, held: Tensor, held_group: Tensor, splits: int = SPLITS
) -> Estimate:
    """Kernel distance (x 1000) over splits: each takes one fifth of `made` and four fifths of `held`, whole groups
    (photos) of both. Groups are numbers [N], [M].
    """

    def fold(group: Tensor) -> Tensor:
        return torch.unique(group, return_inverse=True)[1] % splits

    a, b = fold(made_group), fold(held_group)
    return Estimate.of([1000 * kernel_distance(made[a == k], held[b != k]) for k in range(splits)])


def patches(pictures: Tensor, each: int, seed: int = 5) -> Tensor:
    """[N * each,3,96,96]: squares at random places, those of one picture in a row."""
    rng = torch.Generator().manual_seed(seed)
    rows, columns = pictures.shape[2] - PATCH, pictures.shape[3] - PATCH
    cut = []
    for x in pictures:
        for _ in range(each):
            top, left = (int(torch.randint(n + 1, (1,), generator=rng)) for n in (rows, columns))
            cut.append(x[:, top : top + PATCH, left : left + PATCH])
    return torch.stack(cut)


def central_square(pictures: Tensor) -> Tensor:
    """[N,3,H,H] from [N,3,H,W], W >= H."""
    height, width = pictures.shape[2:]
    left = (width - height) // 2
    return pictures[:, :, :, left : left + height]


def _compared(data: PictureSet) -> Tensor:
    """Which pictures are compared, bool [N]."""
    return (data.class_id == CLEAN) & (data.whole | data.sharp)


def too_few(data: PictureSet) -> str | None:
    """Why a data set is too small for distances and their splits; None where it is not."""
    shown = _compared(data)
    for told, rows, least in (
        ("are kept out", shown & data.held, LEAST_HELD),
        ("are trained on", shown & ~data.held, 2 * SPLITS),
    ):
        for what, some in (("photos", rows), ("photos of full resolution", rows & data.sharp)):
            count = len(torch.unique(data.photo[some]))
            if count < least:
                return f"{count} {what} {told}, distances need {least}"
    return None


class HeldOutPhotos:
    """The real side of the comparison, described once: held-out and training photos, whole and in patches.

    Views of one panorama overlap; only those that seeds are made from are taken. square: of everything only the
    central square, to compare a square world.

    Raises:
        InputError: there are too few photos.

    """

    def __init__(self, data: PictureSet, backbone: Backbone, square: bool = False) -> None:
        self.backbone, self.square = backbone, square
        if why := too_few(data):
            raise InputError(why, "Give more photos, or larger ones.")
        shown = _compared(data)
        self.groups, self.whole, self.patch, self.patch_groups = {}, {}, {}, {}
        for name, rows in (("held", shown & data.held), ("train", shown & ~data.held)):
            pictures = data.pictures[rows]
            pictures = central_square(pictures) if square else pictures
            self.groups[name] = data.photo[rows].cpu()
            self.whole[name] = pooled(pictures, backbone).cpu()
            sharp, each = data.sharp[rows], 8 if name == "held" else 1
            self.patch[name] = pooled(patches(pictures[sharp], each), backbone, PATCH).cpu()
            self.patch_groups[name] = data.photo[rows][sharp].cpu().repeat_interleave(each)

    def compare(self, made: Tensor) -> PictureDistances:
        """Distances of generated pictures [N,3,H,W], uint8 or in [-1,1], N >= 20, at full resolution."""
        made = central_square(made) if self.square and made.shape[3] > made.shape[2] else made
        number = torch.arange(len(made))
        whole = pooled(made, self.backbone).cpu()
        patch = pooled(patches(made, 1), self.backbone, PATCH).cpu()
        w, p = self._standard(self.whole, whole), self._standard(self.patch, patch)
        return PictureDistances(
            split_distance(w["made"], number, w["held"], self.groups["held"]),
            split_distance(w["train"], self.groups["train"], w["held"], self.groups["held"]),
            split_distance(p["made"], number, p["held"], self.patch_groups["held"]),
            split_distance(p["train"], self.patch_groups["train"], p["held"], self.patch_groups["held"]),
            nearest(w["made"], w["train"]),
            nearest(w["held"], w["train"]),
        )

    @staticmethod
    def _standard(real: dict[str, Tensor], made: Tensor) -> dict[str, Tensor]:
        """All standardised by the real photos' mean and deviation, so that figures of worlds compare."""
        both = torch.cat(list(real.values()))
        mean, std = both.mean(0), both.std(0) + 1e-6
        return {k: (v - mean) / std for k, v in (real | {"made": made}).items()}
