"""A prompt becomes a place of the world: the seed whose picture is closest to the words (sec. 4.5 of the paper)."""

from __future__ import annotations

from ..errors import WorldError
from ..model.seed_bank import bank_part, closest_seed
from ..model.world_file import World


def prompt_seed(world: World, text: str) -> int:
    """The bank's seed for a text. Loads torch and open_clip, which takes seconds the first time.

    Raises:
        WorldError: a world without words.

    """
    codes = bank_part(world.tensors, "codes")
    if codes is None:
        raise WorldError(f"{world.card.name}: this world knows no words", "leave the text out")
    from ..model.joint_embedding import text_code

    return closest_seed(text_code(world, text), codes)
