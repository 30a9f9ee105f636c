"""Which source files are held out of training."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from .layouts import HELD_OUT, TRAIN

SHARE = 8
"""One of so many files of a class is held out, from six files on."""
FEWEST = 4
"""Of fewer files none is held out."""


@dataclass(frozen=True)
class Member:
    """What is split: the origin of a file, its class and kind, and the split that the layout or an earlier run gave."""

    origin: str
    group: str
    split: str = ""


def plan_split(members: Iterable[Member]) -> dict[str, str]:
    """Origin -> TRAIN or HELD_OUT.

    Given splits stay, so that what a world was trained on is never held out later. Of the rest of every group about an
    eighth is held out, chosen by a hash of the names; where no group is large enough, one file of four and more.
    """
    found = list(members)
    splits = {m.origin: m.split for m in found if m.split}
    groups: dict[str, set[str]] = defaultdict(set)
    for m in found:
        groups[m.group].add(m.origin)
    for _, origins in sorted(groups.items()):
        wanted = (len(origins) + 2) // SHARE - sum(splits.get(o) == HELD_OUT for o in origins)
        free = sorted((o for o in origins if o not in splits), key=_draw)
        splits |= {o: HELD_OUT if i < wanted else TRAIN for i, o in enumerate(free)}
    free = sorted((m.origin for m in found if not m.split), key=_draw)
    if HELD_OUT not in splits.values() and len(splits) >= FEWEST and free:
        largest, count = Counter(m.group for m in found).most_common(1)[0]
        of_largest = [m.origin for m in found if m.group == largest and not m.split]
        if count > 1 and of_largest:  # the only file of a class is never held out: the world would not know the class
            splits[min(of_largest, key=_draw)] = HELD_OUT
    return splits


def _draw(origin: str) -> str:
    return hashlib.sha256(origin.encode(errors="surrogateescape")).hexdigest()
