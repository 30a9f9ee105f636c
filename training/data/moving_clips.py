"""Moving clips with their sound: the real videos of the adversarial stage (eqs. 7 to 9), and how batches are drawn.

A clip is footage of the user's, or a procedural scene that moves with a recording (procedural_clips.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...engine.errors import InputError
from ...engine.model.mel import ENCODER_COLUMNS, SOUND_COLUMNS
from .sound_windows import ending_at

UNKNOWN = -1
"""Class of a clip whose sound is of no class."""


@dataclass(frozen=True)
class MovingClip:
    """A picture sequence at a constant rate, and what is heard meanwhile.

    Attributes:
        frames: uint8 [T,3,H,W].
        rate: frames a second.
        mel: log-mel [128,C] in 0..1 of the sound, from before the first frame where there is any.
        columns: for each frame, how many mel columns are heard when it is shown: causal windows end there.
        class_id: index into the classes, or UNKNOWN.
        source: the file that it comes from; clips of one source are trained on or held out together.
        held: whether it is kept out of training.

    """

    frames: Tensor
    rate: float
    mel: Tensor
    columns: tuple[int, ...]
    class_id: int
    source: str
    held: bool = False

    def __post_init__(self) -> None:
        if len(self.columns) != len(self.frames):
            raise ValueError(f"{len(self.frames)} frames, but {len(self.columns)} columns")


@dataclass(frozen=True)
class MovingBatch:
    """Clips of one length and rate.

    Attributes:
        frames: [B,T,3,H,W] in [-1,1].
        windows: of E_a, [B,S+T,1,128,88]; the first S end before the first frame.
        long_windows: of F_a, [B,S+T,1,128,344].
        class_id: [B].

    """

    frames: Tensor
    windows: Tensor
    long_windows: Tensor
    class_id: Tensor


@dataclass(frozen=True)
class ClipDraws:
    """Draws batches from clips.

    Attributes:
        clips: what to draw from; each is as likely as the others.
        ticks: T, frames of a batch's clips.
        rate: their rate in Hz, at most that of the clips.
        lead: S, motion steps whose sound comes before the first frame.

    Raises:
        InputError: no clip is long enough.

    """

    clips: Sequence[MovingClip]
    ticks: int
    rate: float
    lead: int = 0

    def __post_init__(self) -> None:
        if not any(self.room(c) > 0 for c in self.clips):
            raise InputError(f"no clip has {self.ticks} frames at {self.rate:g} Hz", "Use footage with longer shots.")

    def stride(self, clip: MovingClip) -> int:
        """Frames of a clip from one of a batch's frames to the next."""
        return max(1, round(clip.rate / self.rate))

    def room(self, clip: MovingClip) -> int:
        """At how many frames a stretch of this clip can begin."""
        return max(0, len(clip.frames) - (self.ticks - 1) * self.stride(clip))

    def __call__(self, count: int, rng: torch.Generator) -> MovingBatch:
        """`count` random stretches; half of them mirrored left to right, never in time (water falls one way)."""
        usable = [c for c in self.clips if self.room(c) > 0]
        picked = [usable[i] for i in torch.randint(len(usable), (count,), generator=rng).tolist()]
        firsts = [int(torch.randint(self.room(c), (1,), generator=rng)) for c in picked]
        mirrored = (torch.rand(count, generator=rng) < 0.5).tolist()
        return self.batch(picked, firsts, mirrored)

    def batch(self, clips: Sequence[MovingClip], firsts: Sequence[int], mirrored: Sequence[bool]) -> MovingBatch:
        """Stretches that begin at given frames."""
        frames, short, long = [], [], []
        for clip, first, flip in zip(clips, firsts, mirrored, strict=True):
            index = [first + i * self.stride(clip) for i in range(self.ticks)]
            x = clip.frames[index].float() / 127.5 - 1
            frames.append(x.flip(-1) if flip else x)
            columns = self._columns(clip, index)
            short.append(torch.stack([ending_at(clip.mel, c, ENCODER_COLUMNS) for c in columns]))
            long.append(torch.stack([ending_at(clip.mel, c, SOUND_COLUMNS) for c in columns]))
        classes = torch.tensor([c.class_id for c in clips])
        return MovingBatch(torch.stack(frames), torch.stack(short), torch.stack(long), classes)

    def _columns(self, clip: MovingClip, index: Sequence[int]) -> list[int]:
        """Mel columns heard at each motion step, those of the lead first (0 before the sound begins)."""
        heard = [clip.columns[i] for i in index]
        step = (heard[-1] - heard[0]) / max(1, len(heard) - 1)
        return [max(0, round(heard[0] - (self.lead - i) * step)) for i in range(self.lead)] + heard
