"""Reads files of answers, strictly: what is not an answer to this study is named and left out."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...engine.errors import InputError
from .key import Key

COLUMNS = ("participant", "trial", "sound", "model", "question", "answer", "seconds", "order", "version")
RATINGS = ("realness", "consistency")
CHOICE = "naturalness"
LARGEST_FILE = 10_000_000
MOST_PARTICIPANT = 999_999
_LONGEST_FIELD = 64
_MOST_REMARKS = 10


@dataclass(frozen=True)
class Answer:
    """One answer. model: a code; of the question `naturalness` the chosen one. value: 1 to 5, of ratings only.

    seconds: between the end of the film (the choice: its first sight) and the answer. order: codes of the models in the
    order in which they were shown.
    """

    participant: int
    trial: int
    sound: str
    model: str
    question: str
    value: int
    seconds: float
    order: str

    @property
    def slot(self) -> tuple[str, str, str]:
        """What it answers: a participant answers each once."""
        return self.sound, self.question, "" if self.question == CHOICE else self.model


@dataclass
class Answers:
    """The answers of all participants. remarks: what was left out, and why, one line each."""

    of: dict[int, dict[tuple[str, str, str], Answer]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Answer]:
        return (answer for answers in self.of.values() for answer in answers.values())


def per_participant(key: Key) -> int:
    """Answers that a participant gives who goes through all of a study."""
    return len(key.sounds) * (len(RATINGS) * len(key.models) + 1)


def read_answers(paths: Sequence[Path], key: Key) -> Answers:
    """Read all files of answers to a study.

    Raises:
        InputError: no file, one that cannot be read, or no answer in any of them.

    """
    if not paths:
        raise InputError("No file of answers was named", "Name some: sonorama study --results study results/*.csv")
    answers = Answers()
    origin: dict[int, Path] = {}
    for path in paths:
        for participant, given in _read_file(path, key, answers.remarks).items():
            _merge(answers, origin, path, participant, given)
    if not answers.of:
        first = answers.remarks[0] if answers.remarks else f"{paths[0]} holds none"
        raise InputError(f"There is no answer to this study: {first}", "Use the files that participants saved.")
    whole = per_participant(key)
    for participant, given in sorted(answers.of.items()):
        if len(given) < whole:
            answers.remarks.append(f"Participant {participant} gave {len(given)} of {whole} answers")
    return answers


def _merge(
    answers: Answers, origin: dict[int, Path], path: Path, participant: int, given: dict[tuple[str, str, str], Answer]
) -> None:
    """Add one participant of a file; another session under the same number is left out."""
    known = answers.of.setdefault(participant, {})
    if any(slot in known and known[slot] != answer for slot, answer in given.items()):
        answers.remarks.append(
            f"{path}: participant {participant} has other answers in {origin[participant]}, so these are left out "
            "(two people with one number? Give one of them another number in the file)"
        )
        return
    origin.setdefault(participant, path)
    known.update(given)


def _read_file(path: Path, key: Key, remarks: list[str]) -> dict[int, dict[tuple[str, str, str], Answer]]:
    text = _text(path)
    if text is None:
        remarks.append(f"{path}: not a file of answers; left out")
        return {}
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: dict[int, dict[tuple[str, str, str], Answer]] = {}
    faults: list[str] = []
    try:
        if tuple(next(rows, [])) != COLUMNS:
            remarks.append(f"{path}: not a file of answers, its first line is not {','.join(COLUMNS)}")
            return {}
        for row in rows:
            if not row:
                continue
            try:
                _add(found, _answer(row, key))
            except ValueError as error:
                faults.append(f"{path}, line {rows.line_num}: {error}; left out")
    except csv.Error as error:
        faults.append(f"{path}, line {rows.line_num}: {error}; the rest is left out")
    remarks += faults[:_MOST_REMARKS]
    if len(faults) > _MOST_REMARKS:
        remarks.append(f"{path}: {len(faults) - _MOST_REMARKS} more such lines")
    return found


def _text(path: Path) -> str | None:
    """Its text; None of one that is too large for answers, or no text. InputError for one that cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "Check the name and the folder.") from error
    try:
        return data.decode("utf-8-sig") if len(data) <= LARGEST_FILE else None
    except UnicodeDecodeError:
        return None


def _add(found: dict[int, dict[tuple[str, str, str], Answer]], answer: Answer) -> None:
    given = found.setdefault(answer.participant, {})
    if given.setdefault(answer.slot, answer) != answer:
        raise ValueError(f"participant {answer.participant} has answered this before in another way")


def _answer(row: Sequence[str], key: Key) -> Answer:
    """Raises ValueError with what is wrong."""
    if len(row) != len(COLUMNS) or any(len(value) > _LONGEST_FIELD for value in row):
        raise ValueError(f"{len(row)} values that are no answer")
    participant, trial, sound, model, question, answer, seconds, order, version = row
    if version != key.version:
        raise ValueError(f"an answer to another study ({version!r}, this one is {key.version})")
    codes = [one.code for one in key.models]
    _check("sound", sound, [one.code for one in key.sounds])
    _check("model", model, codes)
    _check("question", question, (*RATINGS, CHOICE))
    if question == CHOICE and answer != model:
        raise ValueError(f"the answer {answer!r} and the model {model!r} differ")
    if sorted(order) != codes:
        raise ValueError(f"{order!r} is no order of the models")
    return Answer(
        _whole("participant", participant, MOST_PARTICIPANT), _whole("trial", trial, len(key.sounds)), sound, model,
        question, 0 if question == CHOICE else _whole("answer", answer, 5), _duration(seconds), order,
    )  # fmt: skip


def _check(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(f"there is no {name} {value!r}")


def _whole(name: str, text: str, most: int) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= number <= most:
        raise ValueError(f"{name} {text!r} is not a whole number from 1 to {most}")
    return number


def _duration(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{text!r} is no number of seconds")
    return seconds
