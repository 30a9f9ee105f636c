"""Worlds of a given layout with random weights, to measure what a size costs: SIZE/BASE/MAX, such as 512/4096/256.

A square layout of StyleGAN2: a block of side s has min(MAX, BASE / s) channels. Its pictures are noise with about the
contrast of photos, since lower precision is refused where it shows.
"""

import tempfile
from pathlib import Path

from tests.worlds import write_world

from sonorama.engine.model.generator import GeneratorConfig
from sonorama.engine.model.world_file import load_world, save_world

CONTRAST = 0.5


def world_of(name: str) -> str:
    """The name or path of a world as it is; of a layout, the path of a world that is made for it."""
    if name.count("/") != 2 or not name.replace("/", "").isdigit():
        return name
    size, base, most = (int(part) for part in name.split("/"))
    path = Path(tempfile.mkdtemp()) / f"layout-{name.replace('/', '-')}.safetensors"
    write_world(path, path.stem, generator=GeneratorConfig(size, 512, 512, 8, base, most))
    world = load_world(path)
    faint = {k: v * CONTRAST if "torgb.weight" in k else v for k, v in world.tensors.items()}
    save_world(path, world.card, faint)
    return str(path)
