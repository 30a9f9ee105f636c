"""A step of stage 0 beside the plain cost of its networks on the same batch: forward and backward of G and backbone.

    python -m tests.benchmarks.training_step --pictures WORK/pictures.safetensors

Both in turns on one thread; prints the medians and their ratio by size.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from sonorama.training.backbone import feature_distance
from sonorama.training.data.photos import picture_set
from sonorama.training.stages.generator.fast_synthesis import paint
from sonorama.training.stages.generator.plan import WIDE, GeneratorPlan
from sonorama.training.stages.generator.trainer import GeneratorTrainer


def plain(trainer: GeneratorTrainer) -> None:
    """What the networks alone cost: the same codes, pictures, real features and losses' gradients, nothing else."""
    index = trainer.draws(trainer.batch)
    fake = paint(trainer.generator.stylegan2, trainer.generator.mapping(trainer.data.codes[index]), trainer.now.side)[1]
    if trainer.now.features:
        loss = feature_distance(trainer.backbone(fake, trainer.now.features), trainer.real_maps(index)).mean()
    else:
        loss = fake.square().mean()
    for p in trainer.generator.parameters():
        p.grad = None
    loss.backward()


def seconds(run: Callable[[], object]) -> float:
    """How long it takes."""
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def main() -> None:
    """Measure the phases on whole pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="picture set of a training")
    parser.add_argument("--steps", type=int, default=15)
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = picture_set(Path(), args.pictures, *WIDE.shape(), WIDE.z_dim)
    with tempfile.TemporaryDirectory() as folder:
        trainer = GeneratorTrainer(data, WIDE, GeneratorPlan(), Path(folder))
        for trainer.phase in range(3):
            plain(trainer)
            trainer.train_step()
            pairs = [(seconds(trainer.train_step), seconds(lambda: plain(trainer))) for _ in range(args.steps)]
            step, networks = (statistics.median(column) for column in zip(*pairs, strict=True))
            print(f"{trainer.now.side} px: step {step:.3f} s, networks {networks:.3f} s, ratio {step / networks:.2f}")


if __name__ == "__main__":
    main()
