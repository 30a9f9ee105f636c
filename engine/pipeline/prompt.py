"""Text prompts: finds the seed of a world whose picture is closest to the words (sec. 4.5 of the paper)."""

from __future__ import annotations

import logging

from ..errors import ValueRefused, WorldError, one_line
from ..inference.text_encoder import is_known, text_codes, told_unknown, without_text
from ..model.seed_bank import bank_part, closest_seed
from ..model.world_file import World

log = logging.getLogger(__name__)


def prompt_seed(world: World, text: str) -> int:
    """The bank's seed for a text. Words of it that the world does not know change nothing: `told_unknown` names them.

    Raises:
        WorldError: a world without a text encoder, or without a seed bank.
        ValueRefused: the world knows no word of the text.

    """
    codes = bank_part(world.tensors, "codes")
    if codes is None and world.card.text is not None:
        what = f"World {world.card.name} has no seed bank, from which words choose"
        raise WorldError(what, "If it is being imported, choose another world and then it again when that has ended.")
    if codes is None:
        raise without_text(world)
    if not is_known(world, text):
        what = f"World {world.card.name} knows no word of the text {one_line(text)!r}"
        raise ValueRefused(what, "Use words for what its pictures show, such as: sea, mountain, forest, storm, red.")
    return closest_seed(text_codes(world, [text])[0], codes)


def logged_prompt_seed(world: World, text: str) -> int:
    """`prompt_seed`; words that the world does not know are logged."""
    seed = prompt_seed(world, text)
    if unknown := told_unknown(world, text):
        log.warning("%s", unknown)
    return seed
