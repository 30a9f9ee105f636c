"""The report of a study: Markdown for people, CSV for other programs."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.errors import OutputError
from ...engine.files.atomic import write_bytes
from .intervals import FEWEST

if TYPE_CHECKING:
    from .evaluation import Estimate, Evaluation

_HEAD = {"realness": "realness (1-5)", "consistency": "consistency (1-5)", "naturalness": "most natural"}
_NONE = "-"


@dataclass(frozen=True)
class Report:
    """What came of a study. remarks: what was left out. text: Markdown. table: CSV."""

    remarks: list[str]
    text: str
    table: str

    def write(self, out: Path, overwrite: bool) -> list[Path]:
        """Write OUT.md and OUT.csv; the names of both.

        Raises:
            OutputError: one is there already and may not be replaced, or cannot be written.

        """
        stem = out.with_suffix("") if out.suffix.lower() in (".md", ".csv") else out
        paths = [stem.with_name(f"{stem.name}{suffix}") for suffix in (".md", ".csv")]
        for path in paths:
            if os.path.lexists(path) and not (overwrite and path.is_file()):
                raise OutputError(f"{path} is there already", "Choose another OUT, or replace it with --overwrite.")
        for path, text in zip(paths, (self.text, self.table), strict=True):
            write_bytes(path, text.encode(errors="backslashreplace"), new=not overwrite)
        return paths


def build_report(found: Evaluation, remarks: Sequence[str]) -> Report:
    """Put the figures of a study into words and tables."""
    text = "\n".join([*_facts(found), "", *_table(found), "", *_conclusions(found), "", *_by_sound(found), "", *_NOTES])
    return Report([*remarks], text + "\n", _csv(found))


_NOTES = (
    "Intervals are at 95 %: of ratings by a bootstrap over participants, of shares by Wilson's formula, which takes "
    "choices for independent of each other.",
    "Differences are within participants; their bootstrapped intervals are corrected for the number of pairs of models "
    "(Bonferroni).",
)


def _facts(found: Evaluation) -> Iterator[str]:
    key = found.key
    yield f"# Study {key.version}"
    yield ""
    counts = (found.participants, "participant"), (len(key.sounds), "sound"), (len(key.models), "model")
    numbers = [f"{count} {what}{'' if count == 1 else 's'}" for count, what in (*counts, (found.choices, "choice"))]
    yield f"{', '.join(numbers)}. {found.complete} of the participants gave all answers."


def _table(found: Evaluation) -> Iterator[str]:
    rows = [["model", "code", *(_HEAD[question] for question in found.estimates)]]
    for index, model in enumerate(found.key.models):
        figures = [_figure(question, each[index]) for question, each in found.estimates.items()]
        rows.append([model.label, model.code, *figures])
    yield from _aligned(rows)


def _conclusions(found: Evaluation) -> Iterator[str]:
    if found.participants < FEWEST:
        turns = math.lcm(len(found.key.sound_orders), len(found.key.model_orders))
        yield (
            f"Too few participants to conclude anything: {found.participants}; at least {FEWEST} are needed. "
            f"Orders are balanced over {turns} participants and multiples of it."
        )
        return
    for question, pairs in found.differences.items():
        clear = [pair for pair in pairs if pair.clear]
        unclear = len(pairs) - len(clear)
        for pair in clear:
            better, worse = (found.key.models[index].label for index in (pair.better, pair.worse))
            yield f"* {question}: {better} above {worse}, by {_difference(question, pair.estimate)}"
        if unclear:
            yield f"* {question}: no clear difference in {unclear} of {len(pairs)} pairs of models"


def _by_sound(found: Evaluation) -> Iterator[str]:
    rows = [["sound", "code", *(f"{q}, {m.code}" for q in found.by_sound for m in found.key.models)]]
    for index, sound in enumerate(found.key.sounds):
        figures = [_number(q, value) for q, table in found.by_sound.items() for value in table[index]]
        rows.append([sound.name, sound.code, *figures])
    yield "By sound:"
    yield ""
    yield from _aligned(rows)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table whose first row is the head."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for number, row in enumerate(cells):
        yield f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        if number == 0:
            yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"


def _figure(question: str, estimate: Estimate) -> str:
    if math.isnan(estimate.value):
        return _NONE
    value = _number(question, estimate.value)
    if math.isnan(estimate.low):
        return f"{value} (no interval)"
    return f"{value} ({_number(question, estimate.low).removesuffix(' %')} to {_number(question, estimate.high)})"


def _difference(question: str, estimate: Estimate) -> str:
    unit = " points" if question == "naturalness" else ""
    low, high = (_number(question, end).removesuffix(" %") for end in (estimate.low, estimate.high))
    return f"{_number(question, estimate.value).removesuffix(' %')}{unit} ({low} to {high})"


def _number(question: str, value: float) -> str:
    if math.isnan(value):
        return _NONE
    return f"{100 * value:.0f} %" if question == "naturalness" else f"{value:.2f}"


def _csv(found: Evaluation) -> str:
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["question", "sound", "model", "world", "variant", "value", "low", "high", "participants"])
    for question, estimates in found.estimates.items():
        for index, model in enumerate(found.key.models):
            common = [model.code, model.world, model.variant]
            one = estimates[index]
            write([question, "all", *common, *map(_cell, (one.value, one.low, one.high)), found.participants])
            for number, sound in enumerate(found.key.sounds):
                value = float(found.by_sound[question][number, index])
                write([question, sound.name, *common, _cell(value), "", "", found.participants])
    return out.getvalue()


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}"
