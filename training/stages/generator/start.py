"""What stage 0 starts from: the generator of a world, or what a training on a GPU machine has left (tests/gpu)."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from ....engine.errors import InputError
from ....engine.model.build import build_networks
from ....engine.model.generator import Generator, GeneratorConfig
from ....engine.model.world_file import load_world
from .timed import RESULT

_PREFIX = "generator."
"""Of names in what a GPU machine leaves; a work folder's file of the same name has none."""


def starting_generator(start: str | Path, config: GeneratorConfig) -> Generator:
    """The generator of a world, given by name or path, or of a file called RESULT.

    Raises:
        InputError: that file is damaged, or of other sizes than `config`.
        WorldError: there is no such world, or it is damaged.

    """
    path = Path(start)
    if path.name != RESULT or not path.is_file():
        return build_networks(load_world(str(start))).generator
    made = Generator(config)
    try:
        found = {k.removeprefix(_PREFIX): v.float() for k, v in load_file(path).items() if not k.startswith("bank.")}
        made.load_state_dict(found)
    except SafetensorError as error:
        raise InputError(f"{path} is damaged", "Give another file, or a world.") from error
    except RuntimeError as error:
        sizes = f"{config.channel_base} {config.channel_max}"
        raise InputError(f"{path} is of other sizes than this training", f"Make it with --channels {sizes}.") from error
    return made
