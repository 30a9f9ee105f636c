"""Procedural scenes in motion on real photos, driven by recordings: flames rise, rain falls, waves run, lightning
branches, smoke rolls. Real clips for eqs. 7 to 9 where there is no footage.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from ...engine.model.mel import log_mel
from ..checkpoints import write_tensors
from .moving_clips import MovingClip
from .photos import CLEAN, PictureSet
from .procedural_pictures import CLASSES
from .recordings import Recording
from .scene_motion import SceneDrive, scene_frames, scene_motion
from .sound_windows import random_columns

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SceneClipPlan:
    """clips a class, of which every `held_every`th is held out, with photos and recordings that are; frames a clip at
    `rate` Hz; height in px; drive: how sound moves the scenes.
    """

    clips: int = 12
    held_every: int = 6
    frames: int = 24
    rate: float = 15.0
    height: int = 64
    drive: SceneDrive = field(default_factory=SceneDrive)


@dataclass(frozen=True)
class SceneClips:
    """Makes the clips of a data folder.

    Attributes:
        photos: to train on, and held-out ones for held-out clips; [N,3,h,w] in 0..1, both at the plan's height.
        mels: (source, log-mel [128,C]) of the recordings, by class; see `sourced_mels`.
        plan: lengths and sizes.

    """

    photos: tuple[Tensor, Tensor]
    mels: Sequence[Sequence[tuple[str, Tensor]]]
    plan: SceneClipPlan

    def make(self, number: int) -> MovingClip:
        """Clip `number`; classes take turns. The same number gives the same clip."""
        plan, k, rng = self.plan, number % len(CLASSES), torch.Generator().manual_seed(4000 + number)
        held = number // len(CLASSES) % plan.held_every == plan.held_every - 1
        usable = split_sources(self.mels[k], plan.held_every)[held]
        source, mel = usable[int(torch.randint(len(usable), (1,), generator=rng))]
        pick, start = torch.rand(2, generator=rng).tolist()
        mel, columns = random_columns(mel, plan.frames, plan.rate, pick)
        strength, time_s = scene_motion(mel, columns, plan.rate, plan.drive)
        photos = self.photos[held]
        photo = photos[int(torch.randint(len(photos), (1,), generator=rng))]
        frames = scene_frames(photo[None], CLASSES[k], strength, time_s + 60 * start, number)
        return MovingClip((frames * 255).round().to(torch.uint8), plan.rate, mel, columns, k, source, held)

    def all(self, folder: Path) -> list[MovingClip]:
        """Every clip of the plan, from its file below `folder` where it was made before."""
        found = []
        for number in range(self.plan.clips * len(CLASSES)):
            path = folder / f"{number:04d}.safetensors"
            if not path.is_file():
                _write(self.make(number), path)
            found.append(_read(path))
        log.info("%d moving scenes", len(found))
        return found


def clean_photos(data: PictureSet, height: int) -> tuple[Tensor, Tensor]:
    """Whole clean photos of a picture set to train on, and held-out ones: [N,3,height,w] in 0..1."""
    usable = (data.class_id == CLEAN) & data.whole
    rows = ((usable & ~data.held), (usable & data.held))
    trained, held = (data.at(r.nonzero()[:, 0], height) / 2 + 0.5 for r in rows)
    return trained, held


def split_sources(
    mels: Sequence[tuple[str, Tensor]], held_every: int
) -> tuple[list[tuple[str, Tensor]], list[tuple[str, Tensor]]]:
    """Recordings to train on and held-out ones: every `held_every`th source; a single source serves for both."""
    sources = sorted({source for source, _ in mels})
    out = set(sources[held_every // 2 :: held_every]) or set(sources[-1:])
    trained = [m for m in mels if m[0] not in out] or list(mels)
    return trained, [m for m in mels if m[0] in out]


def _write(clip: MovingClip, path: Path) -> None:
    tensors = {"frames": clip.frames, "mel": clip.mel.contiguous(), "columns": torch.tensor(clip.columns)}
    about = {"rate": clip.rate, "class_id": clip.class_id, "source": clip.source, "held": clip.held}
    write_tensors(path, tensors, {"clip": json.dumps(about)})


def _read(path: Path) -> MovingClip:
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["clip"])
        frames, mel, columns = (file.get_tensor(name) for name in ("frames", "mel", "columns"))
    return MovingClip(frames, mel=mel, columns=tuple(columns.tolist()), **about)


def sourced_mels(recordings: Sequence[Recording]) -> list[list[tuple[str, Tensor]]]:
    """(source, log-mel [128,C]) of the recordings that last a tenth of a second and more, by class."""
    mels = [(r.class_id, r.source, torch.from_numpy(log_mel(r.samples))) for r in recordings]
    return [[(source, m) for name, source, m in mels if name == k and m.shape[1] > 8] for k in CLASSES]
