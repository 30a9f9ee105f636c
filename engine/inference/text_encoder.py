"""Codes of words in a world's joint space: by its own text tower (F_t), or by the CLIP model that it was made with."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import WorldError, needing_extra
from ..units import Array
from .graph_cache import ready_graphs
from .onnx_backend import open_session

if TYPE_CHECKING:
    from ..model.world_file import World

MOST_WORDS = 8
"""Unknown words that are named in a message."""


def text_codes(world: World, texts: Sequence[str]) -> Array:
    """Unit codes [K,D] of free texts.

    Raises:
        WorldError: the world has no text encoder, or the CLIP model that it was made with is not at hand.
        SonoramaError: that model needs a package that is not installed.

    """
    if clip := world.card.joint.get("clip"):
        with needing_extra():
            from ..model.open_clip_towers import load_joint

            return load_joint(str(clip)).text(texts).numpy()
    if world.card.text is None:
        raise without_text(world)
    from ..model.joint_space import token_rows

    session, vocabulary = _session(ready_graphs(world) / "text.onnx"), world.tensors["text.vocabulary"].tolist()
    (_, context) = session.get_inputs()[0].shape
    rows = [np.array([token_rows(text, vocabulary, context)], np.int64) for text in texts]
    return np.concatenate([session.run(None, {"rows": one})[0] for one in rows])


def told_unknown(world: World, text: str) -> str:
    """One sentence on the words of a text that a world has never read, so that they change nothing.

    Empty where it knows all, as a named CLIP model does.
    """
    all_words, unknown = _words(world, text)
    if not unknown:
        return ""
    rest = "the rest of the text counts" if len(unknown) < len(all_words) else "no word of the text is known"
    return f"World {world.card.name} does not know: {', '.join(unknown[:MOST_WORDS])}; {rest}."


def is_known(world: World, text: str) -> bool:
    """Whether a world has read any word of a text. Without one its code would say nothing."""
    all_words, unknown = _words(world, text)
    return _reads_all(world) or len(unknown) < len(all_words)


def _reads_all(world: World) -> bool:
    """Whether it knows words as a named CLIP model does, or none, which is said elsewhere."""
    return bool(world.card.joint.get("clip")) or world.card.text is None


def _words(world: World, text: str) -> tuple[list[str], list[str]]:
    """The words of a text, and those of them that a world has never read."""
    if _reads_all(world):
        return [], []
    from ..model.joint_space import unknown_words

    return unknown_words(text, world.tensors["text.vocabulary"].tolist())


def without_text(world: World) -> WorldError:
    """The error for a text where the world has none to compare it with."""
    return WorldError(
        f"World {world.card.name} has no text encoder", "Leave the text out, or use a world trained with captions."
    )


@functools.lru_cache(maxsize=2)
def _session(path: Path) -> Any:
    return open_session(path)
