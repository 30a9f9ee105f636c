"""Trains the generator: the loop over phases, checkpoints, and what happens when numbers or memory fail.

A checkpoint holds everything; without one, training goes on from the generator of a world file.
"""

from __future__ import annotations

import logging
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ....engine.errors import InputError
from ....engine.files.atomic import replacing
from ...checkpoints import read_state, restoring, write_state
from ...status import Status, StatusListener, log_status
from ..recovery import TrainingFailed, all_finite, match_layout, step_that_fits
from .diversity import ALIKE, CONSTANT, relative_spread
from .steps import GeneratorSteps

log = logging.getLogger(__name__)
CHECKPOINT = "generator.pt"
GOOD = "generator.good.pt"
"""The last checkpoint before a collapse; there only after one."""
PARTS = ("generator", "average", "judges", "optimiser", "optimiser_judges")
UPKEEP = ("halved", "slowed", "begun", "best", "alike")
LOG_EVERY, WINDOWS_LOG_EVERY = 50, 10
"""Steps from one line of losses to the next: about every half minute of one core."""
PATIENCE = 3
"""Checkpoints in a row whose seeds look alike, after which training goes back."""


class GeneratorTrainer(GeneratorSteps):
    """Goes through the phases.

    best: largest spread of the seeds' pictures so far, relative to the photos' (diversity.py); alike: checkpoints in
    a row that have fallen far below it; halved: how often the batch was halved; slowed: rates are halved.
    """

    halved, slowed, best, alike = 0, False, 0.0, 0

    # ---- checkpoints

    @property
    def checkpoint(self) -> Path:
        """Where the trainer keeps everything."""
        return self.folder / CHECKPOINT

    @property
    def good(self) -> Path:
        """The last checkpoint whose seeds are different pictures."""
        kept = self.folder / GOOD
        return kept if self.alike and kept.is_file() else self.checkpoint

    def save(self) -> None:
        """Write the checkpoint atomically; only the first of several processes does."""
        if not self.processes.first:
            return
        state: dict[str, Any] = {k: getattr(self, k).state_dict() for k in PARTS}
        state["at"] = self.at
        state["random"] = torch.get_rng_state()
        if self.device.type == "cuda":
            state["random_device"] = torch.cuda.get_rng_state(self.device)
        state["upkeep"] = {k: getattr(self, k) for k in UPKEEP}
        write_state(self.checkpoint, state)

    def load(self) -> bool:
        """Go on from the checkpoint, as if nothing had come between; False if there is none.

        Raises:
            InputError: the checkpoint is damaged, or of another recipe.

        """
        return self._load(self.checkpoint)

    def _load(self, path: Path) -> bool:
        state = self._read(path)
        if state is None:
            return False
        with restoring(path):
            for k in PARTS:
                getattr(self, k).load_state_dict(state[k])
            for optimiser in (self.optimiser, self.optimiser_judges):
                match_layout(optimiser)
            self.phase, self.images, self.step, self.seconds = state["at"]
            for k in UPKEEP:
                setattr(self, k, state.get("upkeep", {}).get(k, getattr(type(self), k)))
            torch.set_rng_state(state["random"])
            if self.device.type == "cuda" and "random_device" in state:
                torch.cuda.set_rng_state(state["random_device"], self.device)
        return True

    def _read(self, path: Path) -> dict[str, Any] | None:
        """What the first process reads, since others may not share its disk; an error too is everybody's."""
        state, error = None, None
        if self.processes.first and path.is_file():
            try:
                state = read_state(path)
            except InputError as found:
                error = (found.message, found.hint)
        state, error = self.processes.of_first((state, error))
        if error is not None:
            raise InputError(*error)
        return state

    # ---- the loop

    def advance(self) -> dict[str, Tensor]:
        """One step, counted; moves on to the next phase where one is over."""
        begun, phase = time.monotonic(), self.now
        losses = step_that_fits(self.train_step, self._halve)
        self.step += 1
        self.images += self.batch
        self.seconds += time.monotonic() - begun
        if phase.seconds:
            self.seconds = self.processes.agree(False, self.seconds, due=False)[1]
        if phase.share(self.images, self.seconds) >= 1:
            self.phase, self.images, self.step, self.seconds, self.begun = self.phase + 1, 0, 0, 0.0, 0
            # The average is the better start for what comes on top of it.
            self.generator.load_state_dict(self.average.state_dict())
        return losses

    def _halve(self) -> None:
        what = f"Memory does not suffice for {self.batch} pictures a step at {self.now.side} px"
        hint = f"Train a smaller world, or on a machine with more memory. The last state is {self.checkpoint}."
        # Another process may have had enough, and waits for this one's gradients: only one can change its mind.
        if self.batch == 1 or self.processes.size > 1:
            raise TrainingFailed(what, hint)
        self.halved += 1
        log.warning("%s: going on with %d", what, self.batch)

    def run(
        self,
        stop: Callable[[], bool],
        report: Callable[[GeneratorTrainer], None],
        listener: StatusListener = log_status,
    ) -> None:
        """Train to the end of the last phase, or until `stop`; a checkpoint is written in both cases, and every
        `checkpoint_s` seconds, at which `report` is called too. listener: hears the means of 50 steps.

        Raises:
            TrainingFailed: NaN or a collapse for the second time, or no memory for one picture.
            OutputError: a checkpoint cannot be written; the one before it stays.

        """
        self.processes.check_batches(max(1, p.batch >> self.halved) for p in self.plan.phases)
        if not self.checkpoint.is_file():
            self.save()
        saved, kept, means = time.monotonic(), None, dict[str, list[Tensor]]()
        while not self.done:
            late = time.monotonic() - saved > self.plan.checkpoint_s
            stopping, _, due = self.processes.agree(stop(), 0.0, due=late)
            if stopping:
                break
            side, before = self.now.side, self.phase
            for k, v in self.advance().items():
                means.setdefault(k, []).append(v)
            if self.step % (WINDOWS_LOG_EVERY if self.now.windows else LOG_EVERY) == 0:
                self._tell(side, means, listener)
            if due or self.phase > before:
                if self._keep(new_phase=self.phase > before):
                    kept = self.at
                    self._report(report)
                saved = time.monotonic()
        if kept != self.at and (self.done or self._keep()):
            self._report(report)

    def _report(self, report: Callable[[GeneratorTrainer], None]) -> None:
        if self.processes.first:
            report(self)

    def _tell(self, side: int, means: dict[str, list[Tensor]], listener: StatusListener) -> None:
        """Tell the losses' means since the last time, and forget them; where one is no number, go back."""
        figures = {k: float(torch.stack(v).mean()) for k, v in sorted(means.items())}
        means.clear()
        if self.processes.first:
            share = self.now.share(self.images, self.seconds) if self.images else 1.0  # a phase has just ended
            figures["rate"] = self.optimiser.param_groups[1]["lr"]
            listener(Status(f"generator {side} px", share, {"images": self.images, **figures}))
        if self.processes.any(not all(map(math.isfinite, figures.values()))):
            self._go_back("A loss is NaN or infinite")

    def _keep(self, *, new_phase: bool = False) -> bool:
        """Write the checkpoint, unless the state is not worth it; whether it was written."""
        if self.processes.any(not all_finite(self.generator, self.average, self.judges)):
            self._go_back("The weights are NaN or infinite")
            return False
        if self._collapsed() and self.alike >= PATIENCE:
            self._go_back("The seeds' pictures have become alike")
            return False
        self.slowed = self.slowed and not new_phase
        self.save()
        return True

    def _collapsed(self) -> bool:
        """Compare seeds; before the first checkpoint of a collapse is written, the one before it is set aside."""
        ratio = self.processes.of_first(relative_spread(self.average, self.data, self.painted))
        self.best = max(self.best, ratio)
        if ratio >= ALIKE * self.best:
            self.alike = 0
            if ratio < CONSTANT and self.phase:
                log.warning("All seeds give the same picture so far (%.3f of the photos' spread)", ratio)
            return False
        if self.alike == 0 and self.processes.first and self.checkpoint.is_file():
            with replacing(self.folder / GOOD) as part:
                shutil.copyfile(self.checkpoint, part)
        self.alike += 1
        where = self.folder / GOOD
        log.warning("Seeds look alike: spread %.3f, it was %.3f; the last good state is %s", ratio, self.best, where)
        return True

    def _go_back(self, what: str) -> None:
        """To the last good checkpoint, with half the rates; the second time in a phase training ends."""
        good = self.good
        if self.slowed or not self._load(good):
            again = " again, at half the rates" if self.slowed else ""
            message = f"{what}{again} (phase {self.phase}, {self.images} images)"
            hint = f"The last good state is kept: {good}. Lower the rates in the plan, or look at the pictures."
            raise TrainingFailed(message, hint)
        self.slowed = True
        self.save()
        log.warning("%s: back to %s, with half the rates", what, good)
