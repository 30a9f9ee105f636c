"""Tables of figures: means over recordings, with 95 % intervals over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..metrics.distance import STUDENT, Estimate
from .films import Row


def by_seed(rows: Sequence[Row], condition: str, figure: str) -> list[float]:
    """Mean of a figure over all recordings that have it, one value a seed."""
    seeds = sorted({r.seed for r in rows})
    found = []
    for seed in seeds:
        values = [r.figures[figure] for r in rows if (r.condition, r.seed) == (condition, seed) and figure in r.figures]
        found.append(sum(values) / len(values))
    return found


def tables(rows: Sequence[Row]) -> dict[str, dict[str, Estimate]]:
    """Condition -> figure -> estimate over seeds. ValueError for a number of seeds without a quantile (see STUDENT)."""
    if len({r.seed for r in rows}) not in STUDENT:
        raise ValueError(f"intervals are for {', '.join(map(str, STUDENT))} seeds")
    names, figures = list(dict.fromkeys(r.condition for r in rows)), max((list(r.figures) for r in rows), key=len)
    return {name: {f: Estimate.of(by_seed(rows, name, f)) for f in figures} for name in names}


def apart(better: Estimate, worse: Estimate) -> bool:
    """Whether two intervals do not overlap, the first above the second."""
    return better.low > worse.high


def markdown(found: dict[str, dict[str, Estimate]]) -> str:
    """A table: mean (interval) of every figure, one row a condition."""
    figures = list(next(iter(found.values())))
    lines = ["| | " + " | ".join(figures) + " |", "|---" * (len(figures) + 1) + "|"]
    for name, row in found.items():
        cells = [f"{e.mean:.3f} ({e.low:.3f} to {e.high:.3f})" for e in row.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def by_class(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Class -> condition -> share of films whose class the judge names (without one: the world's own joint space)."""
    figure = "judged right" if any("judged right" in r.figures for r in rows) else "named"
    found: dict[str, dict[str, list[float]]] = {}
    for r in rows:
        if figure in r.figures:
            found.setdefault(r.class_id, {}).setdefault(r.condition, []).append(r.figures[figure])
    return {name: {condition: sum(v) / len(v) for condition, v in row.items()} for name, row in found.items()}


def class_table(found: dict[str, dict[str, float]]) -> str:
    """`by_class` as a table, one row a class."""
    conditions = list(dict.fromkeys(condition for row in found.values() for condition in row))
    lines = ["| class named right | " + " | ".join(conditions) + " |", "|---" * (len(conditions) + 1) + "|"]
    for name, row in found.items():
        lines.append(f"| {name} | " + " | ".join(f"{row[c]:.0%}" if c in row else "" for c in conditions) + " |")
    return "\n".join(lines) + "\n"


CLAIMS = ("a<->v", "judged right", "onset")
"""Figures in which sound on must beat sound off and wrong sound."""


def claims(found: dict[str, dict[str, Estimate]]) -> dict[str, Any]:
    """Condition and figure -> whether it is apart from (above) each baseline that should not know the sound."""
    out = dict[str, Any]()
    for played, wrong in (("ours", "wrong sound"), ("film", "film, wrong sound")):
        there, told = found.get(played, {}), dict[str, Any]()
        for figure in CLAIMS:
            if figure in there:
                rivals = {name: row[figure] for name, row in found.items() if name in ("without sound", wrong)}
                told[figure] = {name: apart(there[figure], rival) for name, rival in rivals.items()}
        out |= {played: told} if told else {}
    return out
