"""How well a world hears: balanced accuracy over the nine classes, and how well it knows what is none of them.

Sources (one uploader's sound; a package of unlabelled sounds) are parted into folds. For each fold F_a is trained from
nothing on all others (words and pictures are kept: they never heard a sound; so is the frame encoder, which heard all
sounds without labels), and names the recordings of the fold: the class with the largest mean score over the windows of
a recording. Every recording counts once in its class, every class once in the figure. Sounds of left-out packages that
the teacher calls by another name should not belong to the classes.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...engine.files.atomic import names_after, write_bytes
from ...engine.model.joint_embedding import window_ends
from ...engine.model.mel import SOUND_COLUMNS, last_columns, log_mel
from ...engine.model.texture_statistics import sounding, statistics
from ..data.photos import data_root
from ..data.procedural_pictures import CLASSES
from ..data.recordings import Hear, Recording, louder, of_classes, read_recordings
from ..stages import joint
from ..stages.ears.labelled import LABELLED
from ..stages.ears.library import is_package
from ..stages.ears.listening import EarsTraining, listen
from ..stages.joint import Ears, JointTraining, Material, prepare, train_sound
from ..stages.joint_space import NAMES_SCALE, SCORE_SCALE

__all__ = ["add_arguments", "leave_sources_out", "probe", "run_hear_eval", "summary"]
log = logging.getLogger(__name__)
GAINS = (0.0, -12.0, 12.0)
MOST_WINDOWS = 40
FOLDS = 10
OTHER = 0.1
"""A clip to whose classes the teacher gives less than this is of another name."""


@dataclass(frozen=True)
class Probe:
    """A recording as it is asked about: what is heard first in its windows [W,F] at one gain (those without sound left
    out).
    """

    recording: Recording
    gain: float
    heard: Tensor


@torch.no_grad()
def probe(recording: Recording, gain: float = 0.0, hear: Hear = statistics) -> Probe:
    """At most 40 windows of a recording, evenly spread."""
    columns = log_mel(louder(recording, gain).samples)
    ends = np.array(window_ends(columns.shape[1]))
    ends = ends[np.unique(np.linspace(0, len(ends) - 1, MOST_WINDOWS).round().astype(int))]
    windows = torch.from_numpy(np.stack([last_columns(columns, int(e), SOUND_COLUMNS) for e in ends]))[:, None]
    windows = windows[sounding(windows).amax(1) > 0]
    return Probe(recording, gain, torch.cat([hear(chunk) for chunk in windows.split(16)]))


@dataclass(frozen=True)
class Named:
    """One answer: the recording, the gain it was heard at, cosines with labels and other names by window [W,9+K]."""

    recording: Recording
    gain: float
    cosines: Tensor

    def scores(self, scale: float) -> Tensor:
        """Mean scores of classes and names [9+K]."""
        return (scale * self.cosines).softmax(1).mean(0)

    def class_id(self, scale: float) -> str:
        """The class it was taken for."""
        return CLASSES[int(self.scores(scale)[: len(CLASSES)].argmax())]

    def among_two(self, scale: float) -> bool:
        """Whether its class is the first or the second."""
        return CLASSES.index(self.recording.class_id) in self.scores(scale)[: len(CLASSES)].topk(2).indices.tolist()


@dataclass(frozen=True)
class Fold:
    """What was asked of an F_a that had not heard it: recordings, and sounds of other names as cosines [N,9+K]."""

    named: list[Named]
    others: Tensor


def leave_sources_out(
    material: Material, probes: Sequence[Probe], plan: JointTraining, folds: int = FOLDS, partition: int = 0
) -> Iterator[Fold]:
    """Every probe and every other sound of a package, heard by an F_a that knew nothing of its source.

    partition: seed by which the sources are parted into folds.
    """
    clips = material.listening.clips if material.listening else None
    packages = {name for names in clips.sources for name in names if is_package(name)} if clips else set[str]()
    sources = sorted({p.recording.source for p in probes} | packages)
    order = np.random.default_rng(partition).permutation(sources)
    for number, part in enumerate(np.array_split(order, min(folds, len(order)))):
        gone = {str(source) for source in part}
        listening = material.listening and material.listening.without(*gone)
        ears = train_sound(material.windows.without(*gone), material.targets, plan, number, listening)
        yield _asked(ears, material, [p for p in probes if p.recording.source in gone], gone)
        log.info("fold %d of %d", number + 1, folds)


@torch.no_grad()
def _asked(ears: Ears, material: Material, probes: Sequence[Probe], gone: set[str]) -> Fold:
    clips = material.listening.clips if material.listening else None
    known = torch.cat([material.space.labels, *([] if ears.names is None else [ears.names])]).T
    named = [Named(p.recording, p.gain, ears.sound.code(p.heard) @ known) for p in probes]
    if clips is None:
        return Fold(named, torch.zeros(0, known.shape[1]))
    other = (clips.target[:, : len(CLASSES)].sum(1) < OTHER).tolist()
    rows = [i for i, names in enumerate(clips.sources) if other[i] and _only_packages(names) & gone]
    return Fold(named, ears.sound.code(clips.heard[rows]) @ known if rows else torch.zeros(0, known.shape[1]))


def _only_packages(names: Sequence[str]) -> set[str]:
    """The packages in a clip; none if it holds a recording too."""
    found = {name for name in names if name}
    return found if found and all(is_package(name) for name in found) else set()


def balanced(right: Sequence[bool], class_id: Sequence[str]) -> float:
    """Mean over classes of the share that is right."""
    return float(
        np.mean([np.mean([r for r, k in zip(right, class_id, strict=True) if k == c]) for c in sorted(set(class_id))])
    )


def interval(named: Sequence[Named], scale: float, rounds: int = 2000) -> tuple[float, float]:
    """95 % bootstrap interval of the balanced accuracy: sources are drawn anew within each class."""
    rng, groups = np.random.default_rng(0), {}
    for n in named:
        right = n.class_id(scale) == n.recording.class_id
        groups.setdefault(n.recording.class_id, {}).setdefault(n.recording.source, []).append(right)
    figures = []
    for _ in range(rounds):
        means = []
        for sources in groups.values():
            lists = list(sources.values())
            means.append(np.mean([x for i in rng.integers(0, len(lists), len(lists)) for x in lists[i]]))
        figures.append(np.mean(means))
    low, high = np.percentile(figures, [2.5, 97.5])
    return float(low), float(high)


def wilson(right: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share."""
    p = right / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def confusion(named: Sequence[Named], scale: float) -> dict[str, dict[str, int]]:
    """Class -> what its recordings were taken for."""
    return {
        c: {d: sum(n.class_id(scale) == d for n in named if n.recording.class_id == c) for d in CLASSES}
        for c in CLASSES
    }


def best_scale(named: Sequence[Named]) -> float:
    """The scale at which the windows' scores are most probable, each recording weighing the same in its class."""
    grid, costs = [2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 30.0], []
    for scale in grid:
        cost = {c: [] for c in CLASSES}
        for n in named:
            right = (scale * n.cosines).log_softmax(1)[:, CLASSES.index(n.recording.class_id)]
            cost[n.recording.class_id].append(-float(right.mean()))
        costs.append(np.mean([np.mean(x) for x in cost.values() if x]))
    return grid[int(np.argmin(costs))]


def accuracy(named: Sequence[Named], scale: float) -> float:
    """Balanced accuracy of some answers."""
    return balanced([n.class_id(scale) == n.recording.class_id for n in named], [n.recording.class_id for n in named])


def auroc(inside: Tensor, outside: Tensor) -> float:
    """How often one of `inside` [N] is larger than one of `outside` [M]."""
    ranks = torch.cat([inside, outside]).argsort().argsort().double() + 1
    n, m = len(inside), len(outside)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def none_of_these(named: Sequence[Named], others: Tensor, scale: float) -> dict[str, float]:
    """How well the sum of the classes' scores tells recordings from other sounds.

    AUROC, and the share of others that is refused where 90 % of the recordings are kept.
    """
    count = len(CLASSES)
    inside = torch.stack([n.scores(scale)[:count].sum() for n in named if n.gain == 0])
    outside = (scale * others).softmax(1)[:, :count].sum(1)
    kept = float(inside.quantile(0.1))
    return {
        "others": len(others),
        "auroc": auroc(inside, outside),
        "refused_where_90_percent_are_kept": float((outside < kept).double().mean()),
        "belonging_of_90_percent": kept,
    }


def summary(named: Sequence[Named], scale: float = SCORE_SCALE) -> dict[str, Any]:
    """All figures of an evaluation, ready for JSON."""
    plain = [n for n in named if n.gain == 0]
    right = sum(n.class_id(scale) == n.recording.class_id for n in plain)
    said = {(n.recording.file, n.gain): n.class_id(scale) for n in named}
    same = [said[file, 0.0] == name for (file, gain), name in said.items() if gain != 0]
    of_class = {c: [n for n in plain if n.recording.class_id == c] for c in CLASSES}
    return {
        "balanced_top1": accuracy(plain, scale),
        "interval_95": interval(plain, scale),
        "recordings": len(plain),
        "sources": len({n.recording.source for n in plain}),
        "top1": right / len(plain),
        "top1_wilson_95": wilson(right, len(plain)),
        "top2": balanced([n.among_two(scale) for n in plain], [n.recording.class_id for n in plain]),
        "by_class": {c: accuracy(some, scale) for c, some in of_class.items() if some},
        "by_gain": {
            f"{g:+.0f} dB": accuracy([n for n in named if n.gain == g], scale) for g in {n.gain for n in named}
        },
        "same_at_other_gain": float(np.mean(same)) if same else None,
        "best_scale": best_scale(plain),
        "confusion": confusion(plain, scale),
        "answers": {
            n.recording.file: {"class_id": n.class_id(scale), "score": float(n.scores(scale)[: len(CLASSES)].max())}
            for n in plain
        },
    }


def extra_classes(named: Sequence[Named], names: Sequence[str]) -> dict[str, str]:
    """How many recordings of the sea, of birds and crickets are taken for these, among the nine and these: `k of n`.

    names: the other names, in the order of the cosines after the nine.
    """
    known = [name for name in dict.fromkeys(LABELLED.values()) if name in names]
    columns = [*range(len(CLASSES)), *(len(CLASSES) + names.index(name) for name in known)]
    right: dict[str, list[bool]] = {}
    for one in named:
        wanted = LABELLED[one.recording.class_id]
        if wanted in known and one.gain == 0:
            said = (*CLASSES, *known)[int(one.scores(NAMES_SCALE)[columns].argmax())]
            right.setdefault(wanted, []).append(said == wanted)
    return {name: f"{sum(some)} of {len(some)}" for name, some in right.items()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hear-eval`."""
    joint.add_arguments(parser)
    parser.add_argument("--partition", type=int, default=0, metavar="N", help="another N: other folds (%(default)s)")


def run_hear_eval(args: argparse.Namespace) -> int:
    """Leave sources out over the data folder; writes the figures as hearing.json beside the joint file."""
    plan, root = JointTraining(), data_root(args.data)
    listening = listen(root, args.work / "ears", EarsTraining(), args.start)
    material = prepare(root, args.work, plan, args.start, listening)
    hear = statistics if listening is None else listening.frames.window
    recordings, learned = read_recordings(root), listening is not None and listening.labelled is not None
    probes = [probe(r, gain, hear) for r in of_classes(recordings) for gain in GAINS]
    probes += [probe(r, 0.0, hear) for r in recordings if learned and r.class_id in LABELLED]
    folds = list(leave_sources_out(material, probes, plan, partition=args.partition))
    found, others = [n for fold in folds for n in fold.named], torch.cat([fold.others for fold in folds])
    named = [n for n in found if n.recording.class_id in CLASSES]
    figures = {"partition": args.partition} | summary(named, material.scale())
    if len(others):
        figures |= {"none_of_these": none_of_these(named, others, material.scale())}
    if listening is not None and listening.clips is not None:
        more = [n for n in found if n.recording.class_id in LABELLED]
        figures |= {"extra_classes": extra_classes(more, listening.clips.names)}
    out = next(path for path in names_after(Path(args.out).with_name("hearing.json")) if not path.exists())
    out.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(out, json.dumps(figures, indent=1).encode())
    log.info("balanced top-1 %.3f, 95 %% interval %s; %s", figures["balanced_top1"], figures["interval_95"], out)
    return 0
