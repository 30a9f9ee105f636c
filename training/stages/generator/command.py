"""Stage 0 alone: trains the generator of a wide world and goes on where it stopped."""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

import torch

from ....engine.model.build import build_networks
from ....engine.model.generator import GeneratorConfig
from ....engine.model.world_file import load_world
from ...data.photos import picture_set
from ...pictures import data_root
from .interrupt import stop_between_steps
from .plan import GeneratorPlan
from .progress import Progress
from .trainer import GeneratorTrainer

log = logging.getLogger(__name__)
WIDE = GeneratorConfig(size=256, z_dim=128, w_dim=512, channel_base=4096, channel_max=128, const_width=7)
"""448x256: cover to 16:9 crops four rows; costs 1.75 times a square."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `generator`."""
    parser.add_argument("--data", help="data folder (default: $SONORAMA_DATA, else ../shared/data)")
    parser.add_argument("--work", type=Path, default=Path("build/wide"), help="checkpoints and grids (%(default)s)")
    parser.add_argument("--from", dest="start", type=Path, help="without a checkpoint: go on from this world file")
    parser.add_argument("--threads", type=int, default=0, help="of the processor; 0: torch's own choice")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (%(default)s)")
    parser.add_argument("--bfloat16", action="store_true", help="paint in bfloat16; for processors that have it")
    parser.add_argument("--until", type=int, default=0, metavar="PX", help="stop after the phase of this height")


def run_generator(args: argparse.Namespace) -> int:
    """Train until the plan's end or a signal."""
    if args.threads:
        torch.set_num_threads(args.threads)
    plan = GeneratorPlan()
    if args.until:
        plan = replace(plan, phases=tuple(p for p in plan.phases if p.side <= args.until))
    data = picture_set(data_root(args.data), args.work / "pictures.safetensors", *WIDE.shape(), WIDE.z_dim)
    torch.manual_seed(20)
    trainer = GeneratorTrainer(data, WIDE, plan, args.work, device=args.device, bfloat16=args.bfloat16)
    if not trainer.load() and args.start is not None:
        trainer.start_from(build_networks(load_world(args.start)).generator)
    log.info("phase %d, %d images done in it", trainer.phase, trainer.images)
    progress = Progress(args.work, trainer.data, plan.grid_s)
    with stop_between_steps() as stop:
        trainer.run(stop, progress)
    return 0
