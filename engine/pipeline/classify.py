"""What a world hears in a sound, in words: the nine classes, and any label you think of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch

from ..model.joint_embedding import SoundEncoder, class_scores, text_codes
from ..model.mel import BANDS, HOP, RATE, SOUND_COLUMNS, MelStream, last_columns
from ..model.world_file import World
from .window_scores import WindowScores

Array = npt.NDArray[np.float32]
STEP = RATE // 4


def label_codes(world: World, labels: Sequence[str]) -> dict[str, Array]:
    """Name -> unit code [D]: the world's classes, then free labels (only those load open_clip)."""
    known = dict(zip(world.card.classes, world.tensors["labels.codes"], strict=True))
    extra = [label for label in labels if label not in known]
    return known | (dict(zip(extra, text_codes(world, extra), strict=True)) if extra else {})


def classify(world: World, blocks: Iterable[Array], labels: Sequence[str] = ()) -> Iterator[WindowScores]:
    """Mono float32 blocks at 44.1 kHz -> scores every 250 ms from the first second on, and at the end.

    Each is about the four seconds before it. Scores are softmax(scale x cosine) over classes and labels; silence
    has the same score for all.
    """
    codes = label_codes(world, labels)
    matrix = torch.from_numpy(np.stack(list(codes.values())))
    tower = SoundEncoder.from_tensors({k: torch.from_numpy(v) for k, v in world.part("sound").items()})
    scale = world.tensors["labels.scale"].item()
    for end, window in _windows(blocks):
        with torch.inference_mode(), one_thread():
            scores = class_scores(tower(torch.from_numpy(window)[None, None]), matrix, scale)[0]
        start = max(0.0, end - SOUND_COLUMNS * HOP / RATE)
        yield WindowScores(start, end, dict(zip(codes, scores.tolist(), strict=True)))


@contextmanager
def one_thread() -> Iterator[None]:
    """F_a is so small that torch's threads would only wait for each other: fifty times slower on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _windows(blocks: Iterable[Array]) -> Iterator[tuple[float, Array]]:
    """(end in seconds, log-mel [BANDS,SOUND_COLUMNS]) at each grid point; memory does not grow."""
    mel, columns, first, total, point = MelStream(), np.zeros((BANDS, 0), np.float32), 0, 0, 4
    for block in blocks:
        for at in range(0, len(block), STEP):
            piece = block[at : at + STEP]
            columns = np.concatenate([columns, mel.push(piece)], axis=1)
            total += len(piece)
            while point * STEP <= total:
                yield point * STEP / RATE, last_columns(columns, point * STEP // HOP - first, SOUND_COLUMNS)
                point += 1
            spare = max(0, columns.shape[1] - SOUND_COLUMNS - 32)
            columns, first = columns[:, spare:], first + spare
    if total > (point - 1) * STEP + STEP // 2 or point == 4:
        # A sound that ends inside its first window is heard as far as it goes.
        columns = np.concatenate([columns, mel.push(np.zeros(-total % HOP, np.float32))], axis=1)
        yield total / RATE, last_columns(columns, columns.shape[1], SOUND_COLUMNS)
