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
    if world.card.joint.get("clip") or world.card.text is None:
        return ""
    from ..model.joint_space import unknown_words

    all_words, unknown = unknown_words(text, world.tensors["text.vocabulary"].tolist())
    if not unknown:
        return ""
    rest = "the rest of the text counts" if len(unknown) < len(all_words) else "no word of the text is known"
    return f"World {world.card.name} does not know: {', '.join(unknown[:MOST_WORDS])}; {rest}."


def without_text(world: World) -> WorldError:
    """The error for a text where the world has none to compare it with."""
    return WorldError(
        f"World {world.card.name} has no text encoder", "Leave the text out, or use a world trained with captions."
    )


@functools.lru_cache(maxsize=2)
def _session(path: Path) -> Any:
    return open_session(path)
