"""Zero-shot classification of a sound over time: scores of a world's classes, and of any other label."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..inference.onnx_backend import open_sound_encoder
from ..inference.text_encoder import is_known, text_codes, told_unknown
from ..model.joint_space import Vocabulary
from ..model.mel import BANDS, HOP, SOUND_COLUMNS, MelStream, last_columns
from ..model.world_file import World
from ..units import SAMPLE_RATE, Array
from .window_scores import WindowScores

log = logging.getLogger(__name__)
STEP = SAMPLE_RATE // 4
SHOWN = 0.01
"""Score from which one of the world's other names is among a window's scores: there may be hundreds."""


def with_labels(world: World, labels: Sequence[str]) -> Vocabulary:
    """What a world knows by name, and free labels among its classes. A label that means one of its names is that name.

    Words that it does not know are logged; a label that holds no other is left out.
    """
    known, codes = world.vocabulary, world.vocabulary.codes
    extra = [label for label in dict.fromkeys(labels) if known.find(label) is None]
    for unknown in filter(None, (told_unknown(world, label) for label in extra)):
        log.warning("%s", unknown)
    extra = [label for label in extra if is_known(world, label)]
    if not extra:
        return known
    at = len(known.classes)
    codes = np.concatenate([codes[:at], text_codes(world, extra), codes[at:]])
    return Vocabulary((*known.classes, *extra), known.names, codes, known.scale, known.aliases)


def classify(world: World, blocks: Iterable[Array], labels: Sequence[str] = ()) -> Iterator[WindowScores]:
    """Mono float32 blocks at 44.1 kHz -> scores every 250 ms from the first second on, and at the end.

    Each is about the four seconds before it. Scores are softmax(scale x cosine) over classes, labels and the world's
    other names, of which those below SHOWN are left out; silence has the same score for all.
    """
    asked, embed_sound = with_labels(world, labels), open_sound_encoder(world)
    always = {*asked.classes, *map(asked.find, labels)}
    for end, window in sound_windows(blocks):
        start = max(0.0, end - SOUND_COLUMNS * HOP / SAMPLE_RATE)
        found = asked.scores(embed_sound(window))
        yield WindowScores(start, end, {k: v for k, v in found.items() if v >= SHOWN or k in always})


def sound_windows(blocks: Iterable[Array]) -> Iterator[tuple[float, Array]]:
    """(end in seconds, log-mel [BANDS,SOUND_COLUMNS]) at each grid point; memory does not grow."""
    mel, columns, first, total, point = MelStream(), np.zeros((BANDS, 0), np.float32), 0, 0, 4
    for block in blocks:
        for at in range(0, len(block), STEP):
            piece = block[at : at + STEP]
            columns = np.concatenate([columns, mel.push(piece)], axis=1)
            total += len(piece)
            while point * STEP <= total:
                yield point * STEP / SAMPLE_RATE, last_columns(columns, point * STEP // HOP - first, SOUND_COLUMNS)
                point += 1
            spare = max(0, columns.shape[1] - SOUND_COLUMNS - 32)
            columns, first = columns[:, spare:], first + spare
    if total > (point - 1) * STEP + STEP // 2 or point == 4:
        # A sound that ends inside its first window is heard as far as it goes.
        columns = np.concatenate([columns, mel.push(np.zeros(-total % HOP, np.float32))], axis=1)
        yield total / SAMPLE_RATE, last_columns(columns, columns.shape[1], SOUND_COLUMNS)
