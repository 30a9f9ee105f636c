"""What a training does when its numbers or its memory fail: what counts as failed, and the error at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from ...engine.errors import SonoramaError

T = TypeVar("T")
NO_MEMORY = ("not enough memory", "can't allocate memory", "out of memory")
"""What torch says when the CPU's allocator fails; that of a GPU has a type of its own."""


class TrainingFailed(SonoramaError):
    """A training that cannot go on; its last good state is on disk."""


def out_of_memory(error: RuntimeError | MemoryError) -> bool:
    """Whether an error of torch says that memory is used up."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return any(text in str(error).lower() for text in NO_MEMORY)


def all_finite(*networks: nn.Module) -> bool:
    """Whether no weight is NaN or infinite."""
    return all(bool(p.isfinite().all()) for network in networks for p in network.parameters())


def check_tensors(stage: str, tensors: Mapping[str, Tensor]) -> None:
    """Raises TrainingFailed: what a stage has made is NaN or infinite somewhere."""
    if bad := [name for name, one in tensors.items() if one.is_floating_point() and not bool(one.isfinite().all())]:
        what = f"Stage {stage}: {bad[0]} is NaN or infinite, and nothing of it is written"
        raise TrainingFailed(what, "The stages before it are kept. Lower its rate in the plan, or look at its data.")


@torch.no_grad()
def match_layout(optimiser: torch.optim.Optimizer) -> None:
    """Bring what an optimiser remembers of its parameters into their memory format, in which fused Adam needs it; that
    of a checkpoint is the format it was trained in.
    """
    for p, kept in optimiser.state.items():
        for name, value in kept.items():
            if torch.is_tensor(value) and value.shape == p.shape and value.stride() != p.stride():
                kept[name] = torch.empty_like(p).copy_(value)


def step_that_fits(step: Callable[[], T], halve: Callable[[], None]) -> T:
    """One step of a training, with half the batch whenever memory does not suffice.

    A step that failed half-way is done again as a whole: one of the two sides may then have learned twice.
    """
    while True:
        try:
            return step()
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
        # Out of the except block, so that nothing refers to the failed step any more.
        halve()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
