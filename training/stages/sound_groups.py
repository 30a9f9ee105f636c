"""Classes for a data set whose files have none: groups of what is heard in its soundtracks, by F_a.

Windows of all soundtracks are grouped by k-means on their unit codes, with the number of groups that has the largest
silhouette. A group that the joint space is sure of is the class that it hears; others are classes of the data set's
own, called by the space's nearest other name or, without one, `sound 1` and so on.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ...engine.model.joint_embedding import unit
from ...engine.model.mel import HOP, SOUND_COLUMNS
from ...engine.units import SAMPLE_RATE
from ..data.footage_clips import log_mel_of
from ..data.labels import CLIPS, Amount, Labels, OwnClasses, Stretch, table
from ..data.photos import FOLDERS
from ..data.recordings import held_out, list_recordings
from ..data.sound_windows import COLUMNS_HZ, ending_at
from .joint_space import Space

log = logging.getLogger(__name__)
EVERY_S = 1.0
"""Seconds from one window to the next."""
HEARD_S = 2.0
"""Seconds of sound in a window: half of what F_a hears when it plays, so that fewer windows hold two sounds."""
MOST = 7
"""Groups at most."""
WINDOWS_EACH = 6
"""Windows for each group that a data set may have."""
COMPARED = 800
"""Windows that silhouettes are taken of, at most."""
APART = 0.25
"""Silhouette from which there is more than one group."""
ENOUGH = 0.9
"""Share of the largest silhouette from which fewer groups are taken: neighbouring windows are alike, so that groups
look well apart even where there are more of them than sounds."""
SURE, SURE_OF_NINE = 0.6, 0.85
"""Score from which a group is the class that the space hears: where it knows other names too it is right in about eight
of ten (docs/hearing.md); where it does not, a bell scores 0.7 for the class that is nearest."""


@dataclass(frozen=True)
class Heard:
    """Windows of the soundtracks: codes [N,D], unit; the sound of each and the sample that it ends at; of which sounds
    are held out of training [N].
    """

    codes: Tensor
    files: tuple[str, ...]
    ends: tuple[int, ...]
    held: Tensor


@torch.no_grad()
def listen_to(root: Path, space: Space) -> Heard:
    """Windows of every soundtrack of a data set, less the silent ones."""
    ears, out, parts = space.ears(), held_out(root), list[tuple[Tensor, str, int]]()
    for file, _, _ in list_recordings(root):
        mel, step = torch.from_numpy(log_mel_of(root / file)), round(EVERY_S * SAMPLE_RATE / HOP)
        last = [*range(step, mel.shape[1] - step // 2, step), mel.shape[1]]
        for some in [last[i : i + 32] for i in range(0, len(last), 32)]:
            codes = ears(torch.stack([_window(mel, column) for column in some]))
            parts += [(c, file, k * HOP) for c, k in zip(codes, some, strict=True) if bool(c.any())]
    codes = torch.stack([c for c, _, _ in parts]) if parts else torch.zeros(0, space.labels.shape[1])
    files = tuple(file for _, file, _ in parts)
    return Heard(
        codes, files, tuple(k for _, _, k in parts), torch.tensor([file in out for file in files], dtype=torch.bool)
    )


def _window(mel: Tensor, column: int) -> Tensor:
    """The window [1,128,344] of the last HEARD_S until a column, silence before."""
    part = mel[:, max(0, column - round(HEARD_S * COLUMNS_HZ)) : column]
    return ending_at(part, part.shape[1], SOUND_COLUMNS)


def k_means(codes: Tensor, count: int, rounds: int = 50, tries: int = 4) -> tuple[Tensor, Tensor]:
    """Unit centres [K,D] of unit codes [N,D], and the centre of each [N]; the best of some starts, always the same."""
    rng, best = torch.Generator().manual_seed(5), (torch.tensor(-2.0), codes[:count])
    for _ in range(tries):
        chosen = [int(torch.randint(len(codes), (1,), generator=rng))]
        while len(chosen) < count:  # far from those before, as k-means++ does
            far = (1 - (codes @ codes[chosen].T).amax(1)).clamp_min(1e-9)
            chosen.append(int(torch.multinomial(far, 1, generator=rng)))
        centres = codes[chosen]
        for _ in range(rounds):
            of = (codes @ centres.T).argmax(1)
            found = [codes[of == k].sum(0) if bool((of == k).any()) else centres[k] for k in range(count)]
            centres = unit(torch.stack(found))
        fit = (codes @ centres.T).amax(1).mean()
        best = max(best, (fit, centres), key=lambda one: float(one[0]))
    return best[1], (codes @ best[1].T).argmax(1)


def silhouette(codes: Tensor, of: Tensor) -> float:
    """Mean silhouette, -1 to 1, of groups `of` [N] of unit codes [N,D], by cosine distance."""
    far, groups = 1 - codes @ codes.T, of.unique()
    if len(groups) < 2:
        return -1.0
    sums = torch.stack([far[:, of == k].sum(1) for k in groups], 1)
    sizes = torch.stack([(of == k).sum() for k in groups]).float()
    own = (of[:, None] == groups[None]).float()
    inside = (sums * own).sum(1) / ((sizes * own).sum(1) - 1).clamp_min(1)
    outside = (sums / sizes + 1e9 * own).amin(1)
    value = (outside - inside) / torch.maximum(outside, inside).clamp_min(1e-9)
    return float(torch.where((sizes * own).sum(1) > 1, value, 0.0).mean())


def group(codes: Tensor, most: int = MOST) -> Tensor:
    """Unit centres [K,D] of the groups of unit codes [N,D]: 1 where none are apart, else 2 to `most`."""
    some = codes[torch.linspace(0, len(codes) - 1, min(len(codes), COMPARED)).round().long()]
    found = [(APART, unit(codes.mean(0, keepdim=True)))]  # the silhouette of one group is not defined
    for count in range(2, min(most, len(codes) // WINDOWS_EACH) + 1):
        centres, _ = k_means(codes, count)
        found.append((silhouette(some, (some @ centres.T).argmax(1)), centres))
    enough = ENOUGH * max(value for value, _ in found)
    return next(centres for value, centres in found if value >= enough)


def name_groups(space: Space, centres: Tensor, sizes: Sequence[int]) -> list[str]:
    """Names of groups, all different; see the module. sizes: windows of each."""
    names, codes = (*space.classes, *space.names), space.labels
    codes = codes if space.name_codes is None else torch.cat([codes, space.name_codes])
    scores = (space.scale * centres @ codes.T).softmax(1)
    sure = SURE if space.names else SURE_OF_NINE
    found, taken = [""] * len(centres), set[str]()
    for k in scores.amax(1).argsort(descending=True).tolist():
        score, best = scores[k].max(0)
        name = names[int(best)]
        if name not in taken and (float(score) >= sure or name in space.names):
            found[k] = name
            taken.add(name)
    rest = sorted((k for k, name in enumerate(found) if not name), key=lambda k: -sizes[k])
    return [name or f"sound {1 + rest.index(k)}" for k, name in enumerate(found)]


def grouped_classes(root: Path, space: Space, room: int) -> OwnClasses:
    """Classes of a data set by what is heard in it; none where it has no sound.

    Args:
        root: the data set; held-out sounds are given to the groups of the others.
        space: hears and names them.
        room: how many classes there may be beside the space's.

    """
    heard = listen_to(root, space)
    learned = heard.codes[~heard.held]
    if not len(learned):
        return OwnClasses()
    centres = group(learned, max(1, min(MOST, room)))
    number = (heard.codes @ centres.T).argmax(1)
    names = name_groups(space, centres, torch.bincount(number, minlength=len(centres)).tolist())
    of = [names[k] for k in number.tolist()]
    labels = Labels(shown=_shown(root, heard, of), stretches=_stretches(heard, of))
    amounts = {name: _amount(root, labels, name) for name in names}
    own = sorted((n for n in names if n not in space.classes), key=lambda n: (*amounts[n].order, n))
    log.info("no file has a class: by ear, the soundtracks hold %s", ", ".join(names))
    return OwnClasses(tuple(own), (), {name: amounts[name] for name in own}, labels)


def _stretches(heard: Heard, of: Sequence[str]) -> dict[str, tuple[Stretch, ...]]:
    """Parts of each sound in which one class is heard: neighbouring windows of a class are one, silence is none."""
    out: dict[str, list[Stretch]] = {}
    for file, last, name in zip(heard.files, heard.ends, of, strict=True):
        parts = out.setdefault(file, [])
        first = max(0, last - round(EVERY_S * SAMPLE_RATE))
        if parts and first - parts[-1].last < SAMPLE_RATE // 2:
            first = parts[-1].last
        if parts and parts[-1].class_id == name and first == parts[-1].last:
            parts[-1] = Stretch(parts[-1].first, last, name)
        else:
            parts.append(Stretch(first, last, name))
    return {file: tuple(parts) for file, parts in out.items()}


def _shown(root: Path, heard: Heard, of: Sequence[str]) -> dict[str, str]:
    """Photo or clip -> the class of the sound that is heard when it is shown; of a clip, at its middle."""
    by_sound: dict[str, list[tuple[int, str]]] = {}
    for file, last, name in zip(heard.files, heard.ends, of, strict=True):
        by_sound.setdefault(file, []).append((last, name))
    out: dict[str, str] = {}
    for row in [*table(root / "MANIFEST.tsv"), *table(root / CLIPS)]:
        windows = by_sound.get(row.get("sound") or "")
        at = row.get("first_sample") or row.get("sample") or ""
        if windows and at:
            middle = int(row.get("frames") or 0) * SAMPLE_RATE / int(row.get("rate") or 1) / 2
            out[row["file"]] = min(windows, key=lambda one: abs(one[0] - int(at) - middle))[1]
    return out


def _amount(root: Path, labels: Labels, name: str) -> Amount:
    shown = [file.split("/")[0] for file, class_id in labels.shown.items() if class_id == name]
    sounds = sum(any(s.class_id == name for s in parts) for parts in labels.stretches.values())
    return Amount(sum(top in FOLDERS for top in shown), sum(top not in FOLDERS for top in shown), sounds)
