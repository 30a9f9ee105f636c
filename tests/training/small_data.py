"""A data folder of the real form, made up: eight photos, three crops of each, one short sound a class."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import torch
from torchvision.io import write_jpeg

from sonorama import training
from sonorama.engine.units import SAMPLE_RATE
from sonorama.training.data.procedural_pictures import CLASSES
from sonorama.training.data.procedural_sounds import compose
from sonorama.training.footage.settings import SETTINGS

CAPTIONS = Path(training.__path__[0]) / "data" / "captions.json"


def picture(seed: int) -> torch.Tensor:
    """uint8 [3,96,96]: a ground, a sky, a patch."""
    rng = torch.Generator().manual_seed(seed)
    colours = torch.rand(3, 3, 1, 1, generator=rng) * 255
    x = colours[0].expand(3, 96, 96).clone()
    x[:, 48 + seed % 20 :] = colours[1]
    x[:, 10 + seed % 40 : 40 + seed % 40, 20:60] = colours[2]
    return (x + 12 * torch.randn(3, 96, 96, generator=rng)).clamp(0, 255).to(torch.uint8)


def write_wav(path: Path, samples: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((samples / np.abs(samples).max() * 20000).astype(np.int16).tobytes())


def small_data(root: Path, aspect: str = "") -> Path:
    """Fill `root`; the names of its photos are those of real ones, since captions go by name.

    aspect: of the pictures that a world is made of, such as 1:2; narrow ones are painted in less time.
    """
    photos = sorted(json.loads(CAPTIONS.read_text("utf-8"))["photos"])[:8]
    rows = ["file\tclass\tsource\tauthor\tlicence"]
    for folder in ("images", "images_crops"):
        (root / folder).mkdir(parents=True)
    for i, name in enumerate(photos):
        write_jpeg(picture(i), str(root / "images" / f"{name}.jpg"))
        rows.append(f"images/{name}.jpg\tplace\tmade up\tnobody\tCC0 1.0")
        for k in range(3):
            write_jpeg(picture(100 * k + i), str(root / "images_crops" / f"{name}__{k}.jpg"))
    for i, class_id in enumerate(CLASSES):
        write_wav(root / "audio" / class_id / "one.wav", compose(class_id, np.random.default_rng(i), 2 * SAMPLE_RATE))
        rows.append(f"audio/{class_id}/one.wav\t{class_id}\tmade up\tnobody\tCC0 1.0")
    (root / "MANIFEST.tsv").write_text("\n".join(rows) + "\n")
    if aspect:
        (root / SETTINGS).write_text(json.dumps({"aspect": aspect}))
    return root
