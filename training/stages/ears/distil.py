"""Distillation: the student learns the teacher's embedding and names on unlabelled clips.

Loss of a clip (after Hinton et al., 2015, on features and on scores): the squared error of the embedding's principal
components over their variance, plus 1 - cosine of the two, plus the summed cross entropy with the 521 scores.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...backbone import set_layout
from ...checkpoints import read_state, restoring, write_state
from .clips import Clips
from .student import Student, StudentConfig

log = logging.getLogger(__name__)
CHECKPOINT = "student.pt"


@dataclass(frozen=True)
class DistilPlan:
    """How the student is trained.

    held: share of the clips that is never trained on, for the figure of fit. names: weight of the cross entropy.
    shift: columns by which a clip is moved in time; bells, bell_db: of a random smooth equaliser.
    """

    steps: int = 7_000
    batch: int = 64
    rate: float = 2e-3
    warmup: int = 300
    decay: float = 0.03
    clip: float = 2.0
    names: float = 0.15
    held: float = 0.02
    shift: int = 3
    bells: int = 8
    bell_db: float = 2.0
    every: int = 500


class Targets:
    """What the student learns: standardised principal components, and scores.

    The embedding is standardised with a floor under its deviation (many of its 1,024 numbers are nearly always 0).
    """

    FLOOR = 0.02

    def __init__(self, embedding: np.ndarray, components: int) -> None:
        some = torch.from_numpy(embedding[:: max(1, len(embedding) // 20_000)]).float()
        self.mean, self.std = some.mean(0), some.std(0) + self.FLOOR
        x = (some - self.mean) / self.std
        _, spectrum, axes = torch.linalg.svd(x - x.mean(0), full_matrices=False)
        variance = spectrum.square() / (len(x) - 1)
        self.axes, self.scale = axes[:components], variance[:components].sqrt()
        self.explained = float(variance[:components].sum() / variance.sum())

    def __call__(self, embedding: np.ndarray) -> Tensor:
        """[B,1024] -> components of variance 1 [B,192]."""
        x = (torch.from_numpy(embedding).float() - self.mean) / self.std
        return x @ self.axes.T / self.scale


def varied(mel: Tensor, plan: DistilPlan, rng: torch.Generator) -> Tensor:
    """Log-mels [B,128,88] through random smooth equalisers, moved by some columns (edges repeat)."""
    n, bands, columns = mel.shape
    centre, width = torch.rand(2, n, plan.bells, 1, generator=rng)
    gain = torch.randn(n, plan.bells, 1, generator=rng) * plan.bell_db / 80
    where = torch.linspace(0, 1, bands)
    bells = gain * torch.exp(-0.5 * ((where - centre) / (0.03 + 0.2 * width)).square())
    shift = int(torch.randint(-plan.shift, plan.shift + 1, (1,), generator=rng))
    index = (torch.arange(columns) + shift).clamp(0, columns - 1)
    return ((mel + bells.sum(1)[..., None]).clamp(0, 1) * (mel > 0))[..., index]


def rate_at(step: int, plan: DistilPlan) -> float:
    """Learning rate: a linear start, then half a cosine down to a fiftieth."""
    rise = min(1.0, (step + 1) / plan.warmup)
    return plan.rate * rise * (0.51 + 0.49 * math.cos(math.pi * step / plan.steps))


def loss_of(student: Student, mel: Tensor, components: Tensor, scores: Tensor, plan: DistilPlan) -> Tensor:
    """See the module."""
    names, given = student(mel)
    near = (given - components).square().mean() + 1 - F.cosine_similarity(given, components).mean()
    return near + plan.names * F.binary_cross_entropy_with_logits(names, scores, reduction="none").sum(1).mean()


class Distillation:
    """One training run; it goes on from `folder`/student.pt.

    Args:
        clips: see Clips.
        keep: which of them may be used [N]; a twin that must not know some makers leaves theirs out.
        folder: of the checkpoint.

    """

    def __init__(
        self, clips: Clips, keep: np.ndarray, folder: Path, plan: DistilPlan, config: StudentConfig | None = None
    ) -> None:
        self.plan, self.clips, self.folder = plan, clips, folder
        rows = np.flatnonzero(keep)
        held = np.random.default_rng(3).permutation(len(rows)) < plan.held * len(rows)
        self.held, self.rows = rows[held], rows[~held]
        torch.manual_seed(30)
        self.student = Student(config)
        set_layout(self.student, torch.channels_last)
        self.targets = Targets(clips.embedding[self.rows], self.student.config.components)
        self.optimiser = torch.optim.AdamW(self.student.parameters(), plan.rate, weight_decay=plan.decay)
        self.step = 0

    def batch(self, rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Log-mels, components and scores of some clips."""
        mel = torch.from_numpy(self.clips.mel[rows]).float() / 255
        return mel, self.targets(self.clips.embedding[rows]), torch.from_numpy(self.clips.scores[rows]).float()

    def run(self, stop: Callable[[], bool]) -> Student:
        """Train to the end, or until `stop()`; a checkpoint and a line of figures every so many steps."""
        while self.step < self.plan.steps and not stop():
            self._learn()
            if self.step % self.plan.every == 0:
                self.save()
                log.info("step %d: %s", self.step, json.dumps(self.measure()))
        self.save()
        return self.student.eval()

    def _learn(self) -> None:
        rng = torch.Generator().manual_seed(self.step)
        torch.manual_seed(self.step)  # dropout draws from there: a run that goes on must draw the same
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(self.step, self.plan)
        rows = self.rows[torch.randint(len(self.rows), (self.plan.batch,), generator=rng).numpy()]
        mel, components, scores = self.batch(rows)
        self.student.train()
        loss = loss_of(self.student, varied(mel, self.plan, rng), components, scores, self.plan)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), self.plan.clip)
        self.optimiser.step()
        self.step += 1

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        """On clips that are kept out: explained variance of the components, and how often the first name agrees."""
        self.student.eval()
        wrong, spread, same, n = 0.0, 0.0, 0, 0
        for rows in np.array_split(self.held, max(1, len(self.held) // 256)):
            mel, components, scores = self.batch(rows)
            names, given = self.student(mel)
            variance = self.targets.scale.square()
            wrong += float(((given - components).square() * variance).sum())
            spread += float((components.square() * variance).sum())
            same += int((names.argmax(1) == scores.argmax(1)).sum())
            n += len(rows)
        return {"r2": round(1 - wrong / spread, 4), "same_name": round(same / n, 4)}

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "student": self.student.state_dict(), "optimiser": self.optimiser.state_dict(), "step": self.step,
            "config": asdict(self.student.config),
        }  # fmt: skip
        write_state(self.folder / CHECKPOINT, state)

    def load(self) -> bool:
        """Go on from the checkpoint, if there is one. InputError where it is damaged or of another recipe."""
        path = self.folder / CHECKPOINT
        if not path.is_file():
            return False
        state = read_state(path)
        with restoring(path):
            self.student.load_state_dict(state["student"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step = int(state["step"])
        return True


def load_student(folder: Path) -> Student:
    """The student of a checkpoint, for use."""
    state = read_state(folder / CHECKPOINT)
    with restoring(folder / CHECKPOINT):
        config = {**state["config"], "widths": tuple(state["config"]["widths"])}
        student = Student(StudentConfig(**config))
        student.load_state_dict(state["student"])
    return student.eval().requires_grad_(False)
