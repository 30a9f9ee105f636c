"""The joint space without torch: rows of a world's token table, scores of classes and names.

The tokenizer is imported when a text is read: a show that starts does without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..units import Array

HEAD_WIDTH = 16
"""Width of one attention head of the text tower."""
PADDING, UNKNOWN, FIRST_WORD = 0, 1, 2
"""Rows of the token table; from FIRST_WORD on they are those of the vocabulary, whose last is the end of text."""


def token_rows(text: str, vocabulary: Sequence[int], context: int) -> list[int]:
    """Rows [context] of a text; vocabulary: the token ids that a world knows, in rising order."""
    from .tokenizer import tokenize

    rows = {token: FIRST_WORD + i for i, token in enumerate(vocabulary)}
    known = [rows.get(token, UNKNOWN) for token in tokenize(text, context)]
    return known + [PADDING] * (context - len(known))


def unknown_words(text: str, vocabulary: Sequence[int]) -> tuple[list[str], list[str]]:
    """The words of a text, and those of them of which a world that knows these token ids has never read a part.

    Marks such as commas are no words; pictographs are.
    """
    from .tokenizer import encode, words

    known = {*vocabulary}
    asked = [*dict.fromkeys(word for word in words(text) if word[0].isalnum() or not word.isascii())]
    return asked, [word for word in asked if not known.issuperset(encode(word))]


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())


def class_scores(code: Array, label_codes: Array, scale: float) -> Array:
    """Softmax over labels of scale x cosine: code [D], label_codes [K,D], both unit -> [K] that sums to 1.

    `scale` is a world's `labels.scale`, the one at which the scores of sources left out of training were most
    probable: above 0.6 it was right in about eight of ten recordings, below in about six (docs/hearing.md).
    """
    power = scale * (label_codes @ code)
    power = np.exp(power - power.max())
    return power / power.sum()


NOTHING, WHOLE = 0.25, 0.65
"""Belonging below which a sound does not move the picture by what it means, and above which it does in full."""


@dataclass(frozen=True)
class Vocabulary:
    """What a world knows by name.

    Attributes:
        classes: the sounds that its pictures answer to.
        names: other sounds; empty where a world knows none.
        codes: unit codes of classes and names [K,D].
        scale: of the scores, see `class_scores`.
        aliases: more names of the classes -> the class.

    """

    classes: tuple[str, ...]
    names: tuple[str, ...]
    codes: Array
    scale: float
    aliases: Mapping[str, str] = field(default_factory=dict[str, str])

    @staticmethod
    def of(
        classes: Sequence[str], names: Sequence[str], tensors: Mapping[str, npt.NDArray[Any]],
        aliases: Mapping[str, str] | None = None,
    ) -> Vocabulary:  # fmt: skip
        """The vocabulary in a world's tensors; an empty one where it has no labels."""
        if "labels.codes" not in tensors:
            return Vocabulary((), (), np.zeros((0, 0), np.float32), 1.0)
        codes = [tensors[key].astype(np.float32) for key in ("labels.codes", "names.codes") if key in tensors]
        scale = float(tensors["labels.scale"].item())
        return Vocabulary((*classes,), (*names,), np.concatenate(codes), scale, aliases or {})

    def find(self, label: str) -> str | None:
        """The class or name that a label means, whatever its case: "bird song" finds "Bird vocalization, bird song"."""
        wanted = _plain(label)
        exact = {_plain(name): name for name in (*self.names, *self.classes)}
        exact |= {_plain(name): meant for name, meant in self.aliases.items()}
        parts = {part.strip(): meant for name, meant in exact.items() for part in name.split(",")}
        return exact.get(wanted, parts.get(wanted))

    def scores(self, code: Array) -> dict[str, float]:
        """Score 0 to 1 of every class and name for a sound embedding [D]; they sum to 1."""
        found = class_scores(code, self.codes, self.scale).tolist() if len(self.codes) else []
        return dict(zip((*self.classes, *self.names), found, strict=True))

    def belonging(self, code: Array) -> float:
        """0 to 1: how probable it is that the sound is of one of the classes; 1 where a world knows no other names."""
        if not self.names:
            return 1.0
        return float(class_scores(code, self.codes, self.scale)[: len(self.classes)].sum())

    def shares(self, code: Array) -> Array:
        """How a sound's belonging divides among the classes, [K] that sums to 1; empty without classes."""
        found = class_scores(code, self.codes, self.scale)[: len(self.classes)] if self.classes else np.zeros(0)
        return (found / max(found.sum(), 1e-12) if len(found) else found).astype(np.float32)

    def strength(self, code: Array) -> float:
        """0 to 1: how far the sound displacement counts. What is none of the classes must not become weather."""
        return min(1.0, max(0.0, (self.belonging(code) - NOTHING) / (WHOLE - NOTHING)))
