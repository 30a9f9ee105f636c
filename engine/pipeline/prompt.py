"""Text prompts: finds the seed of a world whose picture is closest to the words (sec. 4.5 of the paper)."""

from __future__ import annotations

import logging

from ..errors import WorldError
from ..inference.text_encoder import text_codes, told_unknown, without_text
from ..model.seed_bank import bank_part, closest_seed
from ..model.world_file import World

log = logging.getLogger(__name__)


def prompt_seed(world: World, text: str) -> int:
    """The bank's seed for a text; words that the world does not know are logged.

    Raises:
        WorldError: a world without a text encoder, or without a seed bank.

    """
    codes = bank_part(world.tensors, "codes")
    if codes is None and world.card.text is not None:
        what = f"World {world.card.name} has no seed bank, from which words choose"
        raise WorldError(what, "If it is being imported, choose another world and then it again when that has ended.")
    if codes is None:
        raise without_text(world)
    if unknown := told_unknown(world, text):
        log.warning("%s", unknown)
    return closest_seed(text_codes(world, [text])[0], codes)
