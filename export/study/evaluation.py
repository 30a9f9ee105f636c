"""Evaluates a study: mean ratings and preference shares with intervals, and what may be concluded from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from ...engine.units import Float64Array
from .answers import CHOICE, RATINGS, Answers, per_participant, read_answers
from .intervals import CONFIDENCE, FEWEST, bootstrap, wilson
from .key import KEY, Key, read_key
from .report import Report, build_report

QUESTIONS = (*RATINGS, CHOICE)


@dataclass(frozen=True)
class Estimate:
    """A mean rating (1 to 5) or a share (0 to 1) of a model with its 95 % interval; NaN where there is none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """Between two models, by index: `better` minus `worse`, and its corrected interval (see `differences`)."""

    better: int
    worse: int
    estimate: Estimate

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.estimate.low > 0


@dataclass(frozen=True)
class Evaluation:
    """All figures of a study.

    Attributes:
        key: its models and sounds.
        participants: how many gave answers; complete: to everything.
        choices: answers to the question which is the most natural.
        estimates: question -> one a model.
        differences: question -> one a pair of models; empty with too few participants.
        by_sound: question -> [sounds, models] mean ratings or shares, NaN where there is no answer.

    """

    key: Key
    participants: int
    complete: int
    choices: int
    estimates: dict[str, list[Estimate]]
    differences: dict[str, list[Difference]]
    by_sound: dict[str, Float64Array]


def evaluate(study: Path, files: Sequence[Path]) -> Report:
    """Read the key of a study (its folder, or key.json itself) and files of answers, and report.

    Raises:
        InputError: no study, no answers, or a file that cannot be read.

    """
    key = read_key(study / KEY if study.is_dir() else study)
    answers = read_answers(files, key)
    return build_report(evaluated(key, answers), answers.remarks)


def evaluated(key: Key, answers: Answers) -> Evaluation:
    """The figures of all answers."""
    cubes = {question: _cube(key, answers, question) for question in QUESTIONS}
    values = {question: _mean(cube, 1) for question, cube in cubes.items()}
    few = len(answers.of) < FEWEST
    return Evaluation(
        key,
        len(answers.of),
        sum(len(given) == per_participant(key) for given in answers.of.values()),
        sum(answer.question == CHOICE for answer in answers),
        {question: _shares(key, answers) if question == CHOICE else _means(values[question]) for question in QUESTIONS},
        {question: [] if few else differences(values[question]) for question in QUESTIONS},
        {question: _mean(cube, 0) for question, cube in cubes.items()},
    )


def _cube(key: Key, answers: Answers, question: str) -> Float64Array:
    """[participants, sounds, models]: ratings, or 1 for the chosen model and 0 for others; NaN without an answer."""
    sounds = {sound.code: index for index, sound in enumerate(key.sounds)}
    models = {model.code: index for index, model in enumerate(key.models)}
    cube = np.full((len(answers.of), len(sounds), len(models)), np.nan)
    for row, given in enumerate(answers.of.values()):
        for answer in given.values():
            if answer.question != question:
                continue
            if question == CHOICE:
                cube[row, sounds[answer.sound]] = 0.0
            cube[row, sounds[answer.sound], models[answer.model]] = 1.0 if question == CHOICE else answer.value
    return cube


def _mean(cube: Float64Array, axis: int) -> Float64Array:
    """Mean over an axis of what is there; NaN where nothing is."""
    there = np.isfinite(cube).sum(axis)
    return np.divide(np.nansum(cube, axis), there, out=np.full(there.shape, np.nan), where=there > 0)


def _means(values: Float64Array) -> list[Estimate]:
    """Each participant counts once, however many films they rated."""
    low, high = bootstrap(values)
    return [Estimate(*map(float, one)) for one in zip(_mean(values, 0), low, high, strict=True)]


def _shares(key: Key, answers: Answers) -> list[Estimate]:
    chosen = [answer.model for answer in answers if answer.question == CHOICE]
    if not chosen:
        return [Estimate(np.nan, np.nan, np.nan)] * len(key.models)
    counts = [chosen.count(model.code) for model in key.models]
    return [Estimate(count / len(chosen), *wilson(count, len(chosen))) for count in counts]


def differences(values: Float64Array) -> list[Difference]:
    """Differences within participants between all pairs of models, the better one first.

    values: [participants, models]. The intervals are bootstrapped over participants, at 95 % corrected for the number
    of pairs (Bonferroni).
    """
    pairs = [*combinations(range(values.shape[1]), 2)]
    each = np.stack([values[:, a] - values[:, b] for a, b in pairs], axis=1)
    low, high = bootstrap(each, 1 - (1 - CONFIDENCE) / len(pairs))
    found = []
    for (a, b), mean, below, above in zip(pairs, _mean(each, 0), low, high, strict=True):
        turned = mean < 0
        ends = (-above, -below) if turned else (below, above)
        estimate = Estimate(abs(float(mean)), float(ends[0]), float(ends[1]))
        found.append(Difference(b, a, estimate) if turned else Difference(a, b, estimate))
    return found
