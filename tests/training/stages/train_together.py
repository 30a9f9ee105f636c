"""A few steps of stage 0 by one or two CPU processes: train_together.py FOLDER PROCESSES; see test_processes.py.

Every process leaves its weights in FOLDER/PROCESSES-RANK.pt. After two steps training stops, and goes on from the
checkpoint, which only the first process has.
"""

import copy
import sys
from dataclasses import replace
from pathlib import Path

import torch
from tests.training.stages.test_generator import PLAN, TINY
from torch import Tensor

from sonorama.training.backbone import Backbone
from sonorama.training.data.photos import picture_set
from sonorama.training.processes import Devices
from sonorama.training.stages.generator.plan import Phase
from sonorama.training.stages.generator.trainer import GeneratorTrainer

PHASES = (
    Phase(8, 24, 8, 2e-4, 2e-4),
    Phase(64, 12, 4, 2e-4, 2e-4, features=64, windows=True),
)
TOGETHER = replace(PLAN, phases=PHASES, judges_over=(0, 4), rate_judges=1e-4, r1_every=1)


def weights(one: GeneratorTrainer) -> dict[str, dict[str, Tensor]]:
    return {name: getattr(one, name).state_dict() for name in ("generator", "average", "judges")}


def main(folder: Path, count: int) -> None:
    data = picture_set(folder, folder / "set.safetensors", *TINY.shape(), z_dim=8)
    processes, backbone = Devices(devices=count).launch(), Backbone()
    work = folder / f"work-{count}-{processes.rank}"  # as on machines that share no disk

    def trainer(seed: int) -> GeneratorTrainer:
        torch.manual_seed(seed)
        return GeneratorTrainer(data, TINY, TOGETHER, work, processes=processes, backbone=backbone)

    reported: list[int] = []
    one = trainer(3)
    start = copy.deepcopy(weights(one))
    # The signal comes to the last process alone.
    one.run(lambda: one.step == 2 and processes.rank == count - 1, lambda it: reported.append(it.step))
    again = trainer(8)
    assert again.load()
    again.run(lambda: False, lambda it: reported.append(it.step))
    assert again.done
    assert (reported != []) == processes.first == (work / "generator.pt").is_file()
    state = {"start": start, "end": weights(again), "random": torch.get_rng_state()}
    torch.save(state, folder / f"{count}-{processes.rank}.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), int(sys.argv[2]))
