"""The joint space without torch: rows of a world's token table, scores of classes, when a sound is looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..units import Array
from .tokenizer import tokenize

HEAD_WIDTH = 16
"""Width of one attention head of the text tower."""
PADDING, UNKNOWN, FIRST_WORD = 0, 1, 2
"""Rows of the token table; from FIRST_WORD on they are those of the vocabulary, whose last is the end of text."""


def token_rows(text: str, vocabulary: Sequence[int], context: int) -> list[int]:
    """Rows [context] of a text; vocabulary: the token ids that a world knows, in rising order."""
    rows = {token: FIRST_WORD + i for i, token in enumerate(vocabulary)}
    known = [rows.get(token, UNKNOWN) for token in tokenize(text, context)]
    return known + [PADDING] * (context - len(known))


def class_scores(code: Array, label_codes: Array, scale: float) -> Array:
    """Softmax over labels of scale x cosine: code [D], label_codes [K,D], both unit -> [K] that sums to 1.

    `scale` is a world's `labels.scale`, the one at which the scores of sources left out of training were most
    probable: above 0.6 it was right in about eight of ten recordings, below in about six (docs/hearing.md).
    """
    power = scale * (label_codes @ code)
    power = np.exp(power - power.max())
    return power / power.sum()
