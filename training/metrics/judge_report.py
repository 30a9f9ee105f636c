"""Fit the judge that names the class from the picture alone; prints its table, writes contact sheets."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...engine.errors import InputError
from ...engine.files.atomic import write_bytes
from ..backbone import Backbone
from ..data.photos import data_root
from ..data.procedural_pictures import CLASSES
from .grids import save_grid
from .judge import FORMAT, Judge, accuracy, fit_head, head_key, load_judge, save_head
from .judge_data import NONE, TEST_SEEDS, Examples, JudgeData, JudgePlan, judge_data, plain, read_photos
from .judge_scenes import NONE as NO_CLASS
from .judge_scenes import draw_judged

log = logging.getLogger(__name__)
FILE, FIGURES = "judge.safetensors", "judge.json"
ENOUGH = 3
"""A class with fewer kept-out photos than this is tested on drawings only."""
FOLDS = 5
COLUMNS = 8


def cross_validated(data: JudgeData, plan: JudgePlan) -> tuple[Tensor, Tensor]:
    """Class [N] of every photo of the nine classes, and what it was taken for [N] by a judge that saw neither it nor a
    drawing on it: kept-out photos by the judge itself, the others over folds of photo files.
    """
    train, mirrored = data.train, set[int]()
    first = torch.ones(len(train.photo), dtype=torch.bool)
    for i, (photo, drawn) in enumerate(zip(train.photo.tolist(), train.drawn.tolist(), strict=True)):
        first[i] = not drawn and photo not in mirrored
        mirrored |= set() if drawn else {photo}
    first &= train.class_id != NONE
    # Photos of one class go to different folds.
    order = sorted(first.nonzero()[:, 0].tolist(), key=lambda i: (int(train.class_id[i]), int(train.photo[i])))
    fold = {int(train.photo[i]): n % FOLDS for n, i in enumerate(order)}
    of_fold = torch.tensor([fold.get(int(p), -1) for p in train.photo])
    answers = [(data.test.class_id[_photos(data.test)], _answers(data.train, data.test.at(_photos(data.test)), plan))]
    for k in range(FOLDS):
        asked = train.at(first & (of_fold == k))
        if len(asked.class_id):
            answers.append((asked.class_id, _answers(train.at(of_fold != k), asked, plan)))
    return torch.cat([a for a, _ in answers]), torch.cat([b for _, b in answers])


def _photos(some: Examples) -> Tensor:
    return ~some.drawn & (some.class_id != NONE)


def _answers(train: Examples, asked: Examples, plan: JudgePlan) -> Tensor:
    return fit_head(train, plan).probabilities(asked.features).argmax(1)


def _percent(x: float) -> float:
    return round(100 * x, 1)


def judge_figures(judge: Judge, data: JudgeData, plan: JudgePlan) -> dict[str, Any]:
    """Figures of a judge on what was kept out, ready for JSON; shares in per cent.

    top1: over the nine classes, on kept-out drawings and, of classes with ENOUGH of them, kept-out photos too, both
    weighing the same; drawn, real: on either alone; other_renderer: on drawings of the first renderer;
    photos_cross_validated: on every photo.
    """
    test = data.test
    p = judge.head.probabilities(test.features)
    photos = _photos(test)
    count = torch.bincount(test.class_id[photos], minlength=NONE)[:NONE]
    drawn = accuracy(p[test.drawn], test.class_id[test.drawn])
    other = accuracy(judge.head.probabilities(data.other.features), data.other.class_id)
    asked, named = cross_validated(data, plan)
    right, rows = p.argmax(1) == test.class_id, {}
    for k, name in enumerate(CLASSES):
        real = right[photos & (test.class_id == k)]
        share = drawn.by_class[name]
        if enough := int(count[k]) >= ENOUGH:
            share = (share + float(real.double().mean())) / 2
        rows[name] = {
            "top1": _percent(share), "drawn_only": not enough, "drawn": _percent(drawn.by_class[name]),
            "real_right": int(real.sum()), "real": len(real), "other_renderer": _percent(other.by_class[name]),
            "photos_right": int((named == k)[asked == k].sum()), "photos": int((asked == k).sum()),
        }  # fmt: skip
    silent, known = judge.head.scores(test.at(~test.drawn & (test.class_id == NONE)).features), data.train
    return {
        "top1": round(sum(row["top1"] for row in rows.values()) / NONE, 1),
        "drawn": {"top1": _percent(drawn.top1), "interval_95": [_percent(drawn.low), _percent(drawn.high)]},
        "real": {"right": int(right[photos].sum()), "of": int(photos.sum())},
        "other_renderer": {"top1": _percent(other.top1), "interval_95": [_percent(other.low), _percent(other.high)]},
        "photos_cross_validated": {"right": int((named == asked).sum()), "of": len(asked)},
        "none": {"right": int((silent.argmax(1) == NONE).sum()), "of": len(silent)},
        "training": {"photos": len(set(known.photo[~known.drawn].tolist())), "drawings": int(known.drawn.sum())},
        "by_class": rows,
    }  # fmt: skip


def judge_table(figures: dict[str, Any]) -> str:
    """The figures as a Markdown table by class, real and drawn apart."""
    lines = [
        "| class | top-1 | kept-out drawings | kept-out photos | all photos, cross-validated | first renderer |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in figures["by_class"].items():
        real = f"{row['real_right']} of {row['real']}" + (" (drawn only)" if row["drawn_only"] else "")
        lines.append(
            f"| {name} | {row['top1']} % | {row['drawn']} % | {real} "
            f"| {row['photos_right']} of {row['photos']} | {row['other_renderer']} % |"
        )
    drawn, other = figures["drawn"], figures["other_renderer"]
    real, photos, none = figures["real"], figures["photos_cross_validated"], figures["none"]
    low, high = drawn["interval_95"]
    other_low, other_high = other["interval_95"]
    lines.append(
        f"| all nine | **{figures['top1']} %** | {drawn['top1']} % ({low} to {high}) "
        f"| {real['right']} of {real['of']} | {photos['right']} of {photos['of']} "
        f"| {other['top1']} % ({other_low} to {other_high}) |"
    )
    lines.append(
        f"\nNone of the nine: {none['right']} of {none['of']} kept-out photos are said to show none. Chance is 11 %."
    )
    return "\n".join(lines)


def _key(root: Path, plan: JudgePlan) -> str:
    """Changes with the data folder's manifest and the plan."""
    return hashlib.sha256((root / "MANIFEST.tsv").read_bytes() + repr(plan).encode()).hexdigest()[:16]


def _read_figures(path: Path) -> dict[str, Any]:
    """The figures kept in a file; none if there is no file. InputError if it holds something else."""
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InputError(f"{path}: holds no figures of a judge", "Give another --work folder.")
    return found


def frozen_judge(root: Path, work: Path, plan: JudgePlan | None = None) -> tuple[Judge, dict[str, Any]]:
    """The judge of a data folder and its figures: fitted once, then read from the work folder.

    InputError if the folder has a file of the judge's name that is not a judge's.
    """
    plan, path, figures = plan or JudgePlan(), work / FILE, work / FIGURES
    key, kept, backbone = _key(root, plan), _read_figures(work / FIGURES), Backbone()
    if path.exists() and head_key(path) == key == kept.get("key"):
        return load_judge(path, backbone), kept
    log.info("fitting the judge; about two minutes")
    with torch.no_grad():
        data = judge_data(root, plan, backbone)
    judge = Judge(fit_head(data.train, plan), backbone, plan.height)
    found = {"format": FORMAT, "key": key} | judge_figures(judge, data, plan)
    save_head(judge.head, path, plan, key)
    write_bytes(figures, json.dumps(found, indent=1).encode())
    return judge, found


def write_sheets(root: Path, out: Path, plan: JudgePlan) -> list[Path]:
    """A contact sheet of each class and of none, as PNG files in `out`: a row of drawings made whole, a row of such on
    kept-out photos (of none: two rows of photos, if there are such). Seeds are those of the test.
    """
    photos = read_photos(root, plan)
    grounds = [p.pixels for p in plain([p for p in photos if p.held])]
    places = [p.pixels for p in photos if p.class_id == NONE]
    if not grounds:
        raise InputError(f"{root}: no kept-out photo to draw on", "Give more photos.")
    paths = []
    for name in (*CLASSES, *([NO_CLASS] if places else [])):
        rows = []
        for i in range(2 * COLUMNS):
            base = grounds[i % len(grounds)] if i >= COLUMNS else None
            base = places[i % len(places)] if name == NO_CLASS else base
            rows.append(draw_judged(name, base, TEST_SEEDS + i, plan.height, plan.width))
        paths.append(out / f"{name}.png")
        save_grid(torch.stack(rows) * 2 - 1, paths[-1], COLUMNS)
    return paths


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `python -m sonorama.training judge`."""
    parser.add_argument("--data", help="data folder (default: $SONORAMA_DATA, else ../shared/data)")
    parser.add_argument("--work", type=Path, default=Path("build/judge"), help="where the judge is kept (%(default)s)")


def run_judge(args: argparse.Namespace) -> int:
    """Fit the judge, or read it if it was fitted; print its table; write its contact sheets, if they are not there."""
    root, plan = data_root(args.data), JudgePlan()
    _, figures = frozen_judge(root, args.work, plan)
    sys.stdout.write(judge_table(figures) + "\n")
    sheets = args.work / f"sheets-{figures['key']}"
    if not sheets.exists():
        write_sheets(root, sheets, plan)
    log.info("judge and figures in %s, contact sheets in %s", args.work, sheets)
    return 0
