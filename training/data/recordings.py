"""Recordings, their sources, and the windows that F_a learns from.

A source is one uploader's one sound: files cut or derived from it belong together, and a test that leaves a
source out leaves all of them out. Windows are changed at random before they are heard: speed and pitch, tilt and
band limits, echo, loudness, noise, other sounds in the background; and procedural sounds join the few real ones.
"""

from __future__ import annotations

import csv
import functools
import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from ...engine.audio.audio_file import open_sound
from ...engine.errors import InputError
from ...engine.model.mel import HOP, N_FFT, SOUND_COLUMNS, log_mel
from ...engine.model.texture_statistics import statistics
from ...engine.units import SAMPLE_RATE
from ..checkpoints import write_tensors
from .procedural_pictures import CLASSES
from .procedural_sounds import Draw, Sound, compose, fast_length, scaled, under_water
from .splits import HELD_OUT, split

log = logging.getLogger(__name__)
WINDOW = SOUND_COLUMNS * HOP
PROCEDURAL = "procedural"
UNDER_WATER = ("waterfall_burbling", "splashing_water", "squishing_water")
"""Classes whose recordings, heard from below, are underwater sounds."""


@dataclass(frozen=True)
class Recording:
    """file: path below the data folder; class_id; source: who recorded it and which sound of theirs; samples
    float32 [n], mono at 44.1 kHz.
    """

    file: str
    class_id: str
    source: str
    samples: np.ndarray


def source_of(credit: str, file: str) -> str:
    """What must not be split: the uploader's sound that the credit names, else the file's name less a running number.

    Args:
        credit: author and origin of the file, as the manifest has them.
        file: its path; `footstep.1.ogg` and `footstep.2.ogg` are of one source.

    """
    found = re.search(r"\((freesound|soundbible)[^):]*\d[^):]*", credit)
    return found.group(0).strip("( ") if found else re.sub(r"[._-]?\d+$", "", str(Path(file).with_suffix("")))


def list_recordings(root: Path) -> list[tuple[str, str, str]]:
    """(file, class, source) of every sound in the manifest. InputError where there is no manifest."""
    manifest = root / "MANIFEST.tsv"
    if not manifest.is_file():
        raise InputError(f"{root}: no MANIFEST.tsv, so this is not a data folder", "Give it with --data FOLDER.")
    with manifest.open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["file"].startswith("audio/")]
    return [(row["file"], row["class"], _source_in(row)) for row in rows]


def _source_in(row: Mapping[str, str]) -> str:
    """What must not be split: the column `origin` of data sets made of footage, else `source_of`."""
    return row.get("origin") or source_of(f"{row['author']} {row['source']}", row["file"])


def read_recordings(root: Path, only: Sequence[str] | None = None) -> list[Recording]:
    """The recordings, decoded; `only` names the files wanted."""
    out = []
    for file, class_id, source in list_recordings(root):
        if only is not None and file not in only:
            continue
        with open_sound(root / file, strict=True) as sound:
            out.append(Recording(file, class_id, source, np.concatenate([*sound.mono(SAMPLE_RATE)])))
    return out


def of_classes(recordings: Sequence[Recording]) -> list[Recording]:
    """Those of the nine classes (the others serve as background)."""
    return [r for r in recordings if r.class_id in CLASSES]


def held_out(root: Path) -> set[str]:
    """Files that the manifest's column `split` keeps out of training; none where it has no such column."""
    with (root / "MANIFEST.tsv").open(newline="", encoding="utf-8") as lines:
        return {row["file"] for row in csv.DictReader(lines, delimiter="\t") if row.get("split") == HELD_OUT}


Relabel = Callable[[Sequence[Recording]], list[Recording]]
"""Gives recordings the classes of a world: `Labels.recordings`."""


def training_recordings(
    root: Path, classes: Sequence[str] = CLASSES, relabel: Relabel | None = None
) -> list[Recording]:
    """The recordings that E_a and E_RNN may learn from: of the classes, neither held out by the manifest nor kept for
    figures; those of the nine without any have procedural sounds in their place.
    """
    out, found = held_out(root), read_recordings(root)
    found = found if relabel is None else relabel(found)
    return with_procedural(split([r for r in found if r.class_id in classes and r.file not in out])[0])


def with_procedural(recordings: Sequence[Recording], count: int = 4, seconds: float = 6.0) -> list[Recording]:
    """The same, and procedural sounds of each of the nine classes that has none: a data set need not have them all."""
    missing = [name for name in CLASSES if not any(r.class_id == name for r in recordings)]
    made = [recording for name in missing for recording in _procedural(name, count, seconds)]
    return [*recordings, *made]


@functools.cache
def _procedural(name: str, count: int, seconds: float) -> tuple[Recording, ...]:
    """Procedural sounds of a class; kept, since several stages of a training hear them."""
    n, rng = int(seconds * SAMPLE_RATE), np.random.default_rng([7, CLASSES.index(name)])
    sounds = [(0.1 * scaled(compose(name, rng, n))).astype(np.float32) for _ in range(count)]
    return tuple(Recording(f"{PROCEDURAL}/{name}/{i}", name, PROCEDURAL, y) for i, y in enumerate(sounds))


def bend(d: Draw, x: Sound) -> Sound:
    """Another speed, tone colour, band width and room."""
    if d.flip(0.7):
        speed = d.log(0.75, 1.33)
        x = np.interp(np.arange(int(len(x) / speed)) * speed, np.arange(len(x)), x)
    size = fast_length(len(x) + SAMPLE_RATE // 10)
    f = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    f[0] = f[1]
    db = d.uni(-2.5, 2.5) * np.log2(f / 1000)
    for _ in range(d.rng.integers(0, 4)):
        db += d.uni(-8, 8) * np.exp(-0.5 * (np.log2(f / d.log(60, 12000)) / d.uni(0.3, 1.2)) ** 2)
    if d.flip(0.4):
        db -= 10 * np.log10(1 + (f / d.log(5000, 18000)) ** d.rng.choice([4, 16, 60]))
    if d.flip(0.3):
        db -= 10 * np.log10(1 + (d.log(30, 150) / f) ** 4)
    shape = 10 ** (np.clip(db, -120, 40) / 20)
    if d.flip(0.35):
        shape = shape * np.fft.rfft(_echo(d)[:size], size)
    return np.fft.irfft(np.fft.rfft(x, size) * shape, size)[: len(x)]


def _echo(d: Draw) -> Sound:
    """Impulse response of a room: the direct sound, then noise that dies away."""
    n = int(d.log(0.03, 0.8) * SAMPLE_RATE)
    h = d.rng.standard_normal(n) * np.exp(-6 * np.arange(n) / n)
    h *= d.log(0.1, 1) / np.sqrt(np.square(h).sum())
    h[0] += 1
    return h


def _cut(d: Draw, x: Sound) -> Sound:
    """A random stretch: a whole window most often, else half a second and more."""
    n = WINDOW + N_FFT if d.flip(0.65) else int(d.log(0.5, 4) * SAMPLE_RATE)
    if len(x) <= n:
        return x
    at = d.rng.integers(0, len(x) - n + 1)
    return x[at : at + n]


def _over(d: Draw, x: Sound, other: Sound, level: float) -> Sound:
    """`other` laid over x at a random place, `level` times as loud; as long as the longer one."""
    n = max(len(x), len(other))
    y = np.zeros(n)
    y[n - len(x) :] += scaled(x)
    at = d.rng.integers(0, n - len(other) + 1)
    y[at : at + len(other)] += level * scaled(other)
    return y


def ending_window(samples: Sound | np.ndarray) -> Tensor:
    """The window [128,344] that ends with the sound; silence before its start."""
    x = np.asarray(samples[-(WINDOW + N_FFT) :], np.float32)
    columns = log_mel(np.pad(x, (max(0, WINDOW + N_FFT - len(x)), 0)))
    return torch.from_numpy(columns[:, -SOUND_COLUMNS:].copy())


def take_window(d: Draw, x: Sound) -> Tensor:
    """The window [128,344] that ends with a sound, at a random loudness, sometimes with a noise floor."""
    x = x / max(8 * np.sqrt(np.square(x).mean()), np.abs(x).max(), 1e-9) * 10 ** (d.uni(-32, 12) / 20)
    if d.flip():
        x = x + d.rng.standard_normal(len(x)) * 10 ** (d.uni(-95, -55) / 20)
    return ending_window(x)


@dataclass(frozen=True)
class Windows:
    """heard [N,F]: what F_a hears first in the windows; class_id [N]; sources: for each window the sources in it."""

    heard: Tensor
    class_id: Tensor
    sources: tuple[tuple[str, ...], ...]

    def without(self, *sources: str) -> Windows:
        """The windows that hold nothing of these sources."""
        keep = [i for i, names in enumerate(self.sources) if not set(names) & set(sources)]
        return Windows(self.heard[keep], self.class_id[keep], tuple(self.sources[i] for i in keep))

    def weights(self, procedural: float) -> Tensor:
        """How often to draw each window [N]: classes alike; in a class the sources alike, and the procedural
        sounds `procedural` times as often as all real ones together.
        """
        groups: dict[tuple[int, str], list[int]] = {}
        for i, (k, names) in enumerate(zip(self.class_id.tolist(), self.sources, strict=True)):
            groups.setdefault((k, min(names)), []).append(i)
        real = Counter(k for k, source in groups if source != PROCEDURAL)
        weight = torch.zeros(len(self.class_id))
        for (k, source), rows in groups.items():
            share = procedural if source == PROCEDURAL else 1 / real[k]
            weight[rows] = share / len(rows) / (1 + procedural)
        return weight


@dataclass(frozen=True)
class WindowMaker:
    """Makes changed windows: real ones of the recordings, procedural ones, both with their sources."""

    recordings: tuple[Recording, ...]

    def of(self, d: Draw, class_ids: Sequence[str]) -> Recording:
        """A recording of some of the classes, each source as likely as the others."""
        found = [r for r in self.recordings if r.class_id in class_ids]
        sources = sorted({r.source for r in found})
        source = sources[d.rng.integers(len(sources))]
        found = [r for r in found if r.source == source]
        return found[d.rng.integers(len(found))]

    def real(self, d: Draw, class_id: str) -> tuple[Sound, tuple[str, ...]]:
        """A changed stretch of a recording of `class_id` and the sources in it."""
        if class_id == "underwater_bubbling" and d.flip(0.3):
            r = self.of(d, UNDER_WATER)
            return under_water(d, bend(d, _cut(d, r.samples))), (r.source,)
        r = self.of(d, [class_id])
        y, chance = bend(d, _cut(d, r.samples)), d.uni(0, 1)
        if chance < 0.2:
            other, level = self.of(d, [class_id]), d.log(0.2, 1)
        elif class_id == "thunderstorm" and chance < 0.4:
            other, level = self.of(d, ["raining", "wind_noise"]), d.log(0.1, 0.8)
        elif chance > 0.88:
            other, level = self.of(d, self._others(class_id)), d.log(0.05, 0.4)
        else:
            return y, (r.source,)
        return _over(d, y, bend(d, _cut(d, other.samples))[: WINDOW + N_FFT], level), (r.source, other.source)

    def both(self, d: Draw, first: str, second: str, level: float) -> tuple[Sound, tuple[str, ...]]:
        """Changed stretches of recordings of two classes at once, the second `level` times as loud as the first."""
        a, b = self.of(d, [first]), self.of(d, [second])
        y, z = (bend(d, _cut(d, one.samples)) for one in (a, b))
        return _over(d, y, z[: WINDOW + N_FFT], level), (a.source, b.source)

    def _others(self, class_id: str) -> list[str]:
        extras = {r.class_id for r in self.recordings}.difference(CLASSES, [class_id])
        return sorted(extras) or list(CLASSES)

    def windows(
        self, class_id: str, real: int, procedural: int, seed: int
    ) -> tuple[list[Tensor], list[tuple[str, ...]]]:
        """`real` + `procedural` windows [128,344] of one class and their sources; procedural ones of the nine only."""
        number = CLASSES.index(class_id) if class_id in CLASSES else crc32(class_id.encode())
        d = Draw(np.random.default_rng([seed, number]))
        out, sources = [], []
        for _ in range(real):
            y, names = self.real(d, class_id)
            out.append(take_window(d, y))
            sources.append(tuple(sorted(set(names))))
        for _ in range(procedural):
            n = WINDOW + N_FFT if d.flip(0.6) else int(d.log(0.8, 4) * SAMPLE_RATE)
            out.append(take_window(d, bend(d, compose(class_id, d.rng, n))))
            sources.append((PROCEDURAL,))
        return out, sources


Hear = Callable[[Tensor], Tensor]
"""What F_a hears first: windows [B,1,128,344] -> [B,F]."""


@torch.no_grad()
def heard(windows: Sequence[Tensor], hear: Hear = statistics) -> Tensor:
    """What is heard [N,F] in windows [128,344]."""
    chunks = [torch.stack([*windows[i : i + 64]])[:, None] for i in range(0, len(windows), 64)]
    return torch.cat([hear(chunk) for chunk in chunks])


def make_windows(
    recordings: Sequence[Recording], folder: Path, real: int, procedural: int, seed: int = 0, hear: Hear = statistics
) -> Windows:
    """Windows of all nine classes; each class is kept in `folder` once made, so an interrupted run goes on."""
    maker, parts = WindowMaker(tuple(recordings)), []
    names = sorted({r.source for r in recordings} | {PROCEDURAL})
    folder.mkdir(parents=True, exist_ok=True)
    for class_id in CLASSES:
        path = folder / f"{class_id}-{real}-{procedural}-{seed}.safetensors"
        if not path.is_file():
            made, sources = maker.windows(class_id, real, procedural, seed)
            has = torch.tensor([[n in s for n in names] for s in sources], dtype=torch.uint8)
            write_tensors(path, {"heard": heard(made, hear), "sources": has})
            log.info("windows of %s made", class_id)
        tensors = load_file(path)
        sources = [
            tuple(n for n, there in zip(names, row, strict=True) if there) for row in tensors["sources"].tolist()
        ]
        parts.append((tensors["heard"], sources))
    class_id = torch.cat([torch.full((len(x),), k) for k, (x, _) in enumerate(parts)])
    return Windows(torch.cat([x for x, _ in parts]), class_id, tuple(s for _, sources in parts for s in sources))


def louder(recording: Recording, gain_db: float) -> Recording:
    """The same recording, louder or softer."""
    return replace(recording, samples=recording.samples * np.float32(10 ** (gain_db / 20)))
