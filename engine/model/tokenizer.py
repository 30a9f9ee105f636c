"""CLIP's tokenizer: text -> token ids by byte-pair encoding (Sennrich et al. 2016), the same ids as open_clip's.

A token is a byte (0 to 255, printable ones first), a byte that ends a word (256 to 511), or a merge of two tokens
(512 + its rank). clip_merges.npy holds the two tokens of each merge, [48894,2].
"""

from __future__ import annotations

import functools
import html
from itertools import pairwise
from pathlib import Path

import ftfy
import numpy as np
import regex

WORD = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+", regex.IGNORECASE)
BYTES = 256
FIRST_MERGE = 2 * BYTES
START, END = 49_406, 49_407
"""Ids of the start and the end of a text."""
_PRINTABLE = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, BYTES))


def encode(text: str) -> list[int]:
    """Ids of a text, lower case, broken characters mended, without start and end."""
    return [token for word in words(text) for token in _merged(word)]


def words(text: str) -> list[str]:
    """The words, numbers and marks of a text, lower case, broken characters mended."""
    clean = html.unescape(html.unescape(ftfy.fix_text(text)))
    return WORD.findall(" ".join(clean.split()).lower())


def tokenize(text: str, context: int) -> list[int]:
    """Ids of a text from START to END, at most `context` of them."""
    return [START, *encode(text)[: context - 2], END]


@functools.lru_cache(4096)
def _merged(word: str) -> tuple[int, ...]:
    """Tokens of one word: of all neighbours, those of the lowest rank are merged, until none can be."""
    merges, order = _merges(), _byte_order()
    tokens = [order[byte] for byte in word.encode()]
    tokens[-1] += BYTES
    while pairs := [found for pair in pairwise(tokens) if (found := merges.get(pair))]:
        tokens = _merge(tokens, min(pairs), merges)
    return tuple(tokens)


def _merge(tokens: list[int], into: int, merges: dict[tuple[int, int], int]) -> list[int]:
    """Every pair that makes the token `into`, from the left."""
    merged: list[int] = []
    i = 0
    while i < len(tokens):
        both = i + 1 < len(tokens) and merges.get((tokens[i], tokens[i + 1])) == into
        merged.append(into if both else tokens[i])
        i += 2 if both else 1
    return merged


@functools.cache
def _byte_order() -> dict[int, int]:
    """Byte -> its token."""
    others = (byte for byte in range(BYTES) if byte not in _PRINTABLE)
    return {byte: token for token, byte in enumerate((*_PRINTABLE, *others))}


@functools.cache
def _merges() -> dict[tuple[int, int], int]:
    """Two tokens -> the one that they make."""
    pairs = np.load(Path(__file__).with_name("clip_merges.npy"), allow_pickle=False).tolist()
    return {(first, second): FIRST_MERGE + rank for rank, (first, second) in enumerate(pairs)}
