"""What F_a listens with: the frame encoder, distilled from the teacher of a data folder, and clips that have names.

A data folder without a teacher gives neither; then F_a goes on with the frame encoder of the world that is started
from, or hears statistics of the texture.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from ....engine.model.frame_encoder import FrameEncoder, frames_config
from ...data.procedural_others import OTHERS, compose_other
from ...data.procedural_pictures import CLASSES
from ...data.procedural_sounds import Draw
from ...data.recordings import read_recordings
from ..generator.interrupt import stop_between_steps
from .clips import CLIP, Clips, clip_mel, finished, make_clips, read_clips
from .distil import Distillation, DistilPlan
from .labelled import labelled_clips
from .library import SoundLibrary, sound_library
from .names import NamedClips, other_names, targets
from .student import frame_encoder
from .teacher import Teacher, teacher_file

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EarsTraining:
    """shards: files of 1,024 clips each; distil: how the student is trained; drawn: clips of each procedural sound that
    is none of the classes (data/procedural_others.py), which F_a learns by name; labelled, mixed: windows of recordings
    of each extra class, and of two classes at once (labelled.py).
    """

    shards: int = 56
    distil: DistilPlan = field(default_factory=DistilPlan)
    drawn: int = 1500
    labelled: int = 1500
    mixed: int = 3000


@dataclass(frozen=True)
class Listening:
    """The frame encoder and the clips.

    Attributes:
        frames: the encoder.
        clips: with what the teacher says of them; None where only a world's own frame encoder is at hand.
        labelled: with what their recordings are labelled (labelled.py).

    """

    frames: FrameEncoder
    clips: NamedClips | None
    labelled: NamedClips | None = None

    def without(self, *sources: str) -> Listening:
        """The same, without clips that hold anything of these sources."""
        kept = (None if some is None else some.without(*sources) for some in (self.clips, self.labelled))
        return Listening(self.frames, *kept)


def listen(root: Path, work: Path, plan: EarsTraining, start: Path | None = None) -> Listening | None:
    """Make clips, train the student; goes on where it stopped. start: the world that is gone on from, if any."""
    if not teacher_file(root).is_file():
        log.info(
            "no teacher in %s: F_a listens as the world it starts from, or to statistics", teacher_file(root).parent
        )
        frames = None if start is None else _frames_of(start)
        return None if frames is None else Listening(frames, None)
    library, told = sound_library(root, work), Teacher(root)
    make_clips(library, told, work / "clips", plan.shards)
    clips = read_clips(work / "clips")
    run = Distillation(clips, torch.ones(len(clips.mel), dtype=torch.bool).numpy(), work / "student", plan.distil)
    run.load()
    with stop_between_steps() as stop:
        frames = frame_encoder(run.run(stop))
    named = named_clips(frames, clips, library, told.names)
    more = labelled_clips(frames, read_recordings(root), named.names, plan.labelled, plan.mixed)
    return Listening(frames, named.joined(drawn_clips(frames, named.names, plan.drawn)), more)


def _frames_of(world: Path) -> FrameEncoder | None:
    """The frame encoder of a world file, if it has one."""
    prefix = "sound.frames."
    tensors = {k[len(prefix) :]: v.float() for k, v in load_file(world).items() if k.startswith(prefix)}
    if not tensors:
        return None
    made = FrameEncoder(frames_config(tensors))
    made.load_state_dict(tensors)
    return made.eval().requires_grad_(False)


@torch.no_grad()
def named_clips(frames: FrameEncoder, clips: Clips, library: SoundLibrary, names: tuple[str, ...]) -> NamedClips:
    """The clips that the teacher (whose names are given) is sure of, as the frame encoder codes them."""
    target, sure = targets(clips.scores, names)
    rows = torch.nonzero(sure)[:, 0]
    parts: list[Tensor] = [frames(torch.from_numpy(clips.mel[some.numpy()]).float() / 255) for some in rows.split(256)]
    sources = [*(sound.source for sound in library.sounds), ""]  # index -1, no sound, is the last entry
    found = tuple(tuple(sources[i] for i in pair) for pair in clips.sounds[rows.numpy()].tolist())
    return NamedClips(torch.cat(parts), target[rows], other_names(names), found)


@torch.no_grad()
def drawn_clips(frames: FrameEncoder, names: tuple[str, ...], count: int) -> NamedClips:
    """So many clips of each of OTHERS among the names, as the frame encoder codes them."""
    d, codes, at = Draw(np.random.default_rng(11)), [torch.zeros(0, frames.config.code)], list[int]()
    for name in OTHERS if count else ():
        if name in names:
            mel = [clip_mel(finished(d, compose_other(name, d.rng, CLIP))) for _ in range(count)]
            codes.append(frames(torch.from_numpy(np.stack(mel))))
            at += [len(CLASSES) + names.index(name)] * count
    target = F.one_hot(torch.tensor(at, dtype=torch.int64), len(CLASSES) + len(names)).float()
    return NamedClips(torch.cat(codes), target, names, ((),) * len(at))
