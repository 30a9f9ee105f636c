"""A data folder of wide photos, squares and panorama views, made up."""

from __future__ import annotations

from pathlib import Path

import torch
from torchvision.io import write_jpeg

CLASSES = ("meadow", "coast", "night")


def picture(seed: int, height: int, width: int) -> torch.Tensor:
    """uint8 [3,height,width]: a sky, a ground whose edge differs, a patch."""
    rng = torch.Generator().manual_seed(seed)
    colours = torch.rand(3, 3, 1, 1, generator=rng) * 255
    x = colours[0].expand(3, height, width).clone()
    x[:, height // 2 + seed % 7 :] = colours[1]
    left = (seed * 13) % (width - 20)
    x[:, height // 4 : height // 2, left : left + 20] = colours[2]
    return (x + 6 * torch.randn(3, height, width, generator=rng)).clamp(0, 255).to(torch.uint8)


def wide_data(root: Path, photos: int = 20, scale: int = 1) -> Path:
    """Fill `root`: wide photos of three classes and one lone class, one square, two panoramas of three views; photos
    are 96 px high times `scale`.
    """
    rows = ["file\tclass\tsource\tauthor\tlicence"]

    def add(file: str, kind: str, seed: int, height: int, width: int) -> None:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        write_jpeg(picture(seed, height * scale, width * scale), str(root / file), 95)
        rows.append(f"{file}\t{kind}\tmade up\tnobody\tCC0 1.0")

    for i in range(photos):
        add(f"photos/wide_{i:02d}.jpg", CLASSES[i % 3], i, 96, 168 + 4 * (i % 3))
    add("photos/lone.jpg", "lava", 90, 96, 168)
    add("photos/square.jpg", "coast", 91, 120, 120)
    for panorama in ("hill", "lake"):
        for view in range(3):
            add(f"panoramas/{panorama}_y{view:03d}.jpg", "meadow", 50 + view, 60, 60)
    (root / "MANIFEST.tsv").write_text("\n".join(rows) + "\n")
    return root
