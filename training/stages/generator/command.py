"""Stage 0 alone: trains the generator of a wide world and goes on where it stopped."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import replace
from pathlib import Path

import torch

from ....engine.errors import InputError
from ....engine.model.build import build_networks
from ....engine.model.generator import Generator
from ....engine.model.world_file import load_world
from ...backbone import Backbone
from ...checkpoints import read_state, restoring
from ...data.photos import PICTURES, PictureSet, data_root, picture_set
from ...event_log import EventLog
from ...metrics.distance import HeldOutPhotos
from ...processes import Devices, add_device_arguments
from ...status import Status, log_status
from .interrupt import stop_between_steps
from .mixtures import MIXING
from .pack import write_pack
from .plan import WIDE, GeneratorPlan
from .progress import Progress, distances
from .start import starting_generator
from .trainer import CHECKPOINT, GeneratorTrainer

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `generator`."""
    parser.add_argument("--data", help="data folder (default: $SONORAMA_DATA, else ../shared/data)")
    parser.add_argument("--work", type=Path, default=Path("build/wide"), help="checkpoints and grids (%(default)s)")
    parser.add_argument("--from", dest="start", type=Path, help="without a checkpoint: go on from this world file")
    parser.add_argument(
        "--images", type=int, default=0, metavar="N",
        help="how many pictures of the last phase the world of --from has seen: rate and weights follow (%(default)s); "
        "it does not count where there is a checkpoint, or if the world is smaller",
    )  # fmt: skip
    parser.add_argument("--threads", type=int, default=0, help="of the processor; 0: torch's own choice")
    add_device_arguments(parser)
    parser.add_argument(
        "--bfloat16", action=argparse.BooleanOptionalAction, default=None,
        help="paint, see and judge in bfloat16, or not (default: where the device has instructions for it)",
    )  # fmt: skip
    parser.add_argument("--until", type=int, default=0, metavar="PX", help="stop after the phase of this height")


def run_generator(args: argparse.Namespace) -> int:
    """Train until the plan's end or a signal."""
    if args.threads:
        torch.set_num_threads(args.threads)
    plan = GeneratorPlan()
    if args.until:
        plan = replace(plan, phases=tuple(p for p in plan.phases if p.side <= args.until))
        if not plan.phases:
            raise InputError(f"--until {args.until}", f"Give at least {GeneratorPlan().phases[0].side}.")
    if args.images and args.start is None:
        raise InputError("--images counts what a world has seen", "Name that world with --from.")
    if not 0 <= args.images < plan.phases[-1].images:
        raise InputError(f"--images {args.images}", f"Give 0 to {plan.phases[-1].images - 1}.")
    data = picture_set(data_root(args.data), args.work / PICTURES, *WIDE.shape(), WIDE.z_dim)
    processes = Devices.of(args).launch()  # the pictures are there by now: the others need not make them too
    torch.manual_seed(20)
    low = processes.has_bfloat16 if args.bfloat16 is None else args.bfloat16
    trainer = GeneratorTrainer(data, WIDE, plan, args.work, bfloat16=low, processes=processes)
    if not trainer.load() and args.start is not None:
        trainer.start_from(starting_generator(args.start, WIDE), args.images)
    log.info("phase %d, %d images done in it", trainer.phase, trainer.images)
    events = EventLog(args.work)
    progress = Progress(args.work, trainer.data, plan, events)

    def listener(status: Status) -> None:
        log_status(status)
        events(status)

    with processes.ending_quietly(), stop_between_steps() as stop:
        trainer.run(stop, progress, listener)
    return 0


def add_distance_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `picture-distance`."""
    parser.add_argument("world", nargs="?", help="name or path of a world (default: the checkpoint in --work)")
    parser.add_argument("--data", help="data folder (default: $SONORAMA_DATA, else ../shared/data)")
    parser.add_argument("--work", type=Path, default=Path("build/wide"), help="folder of the training (%(default)s)")
    parser.add_argument("--count", type=int, default=300, help="seeds to paint (%(default)s)")
    parser.add_argument("--psi", type=float, nargs="+", default=[1.0, 0.7], help="truncation (%(default)s)")
    parser.add_argument("--square", action="store_true", help="compare central squares only")


def _generator_and_anchors(args: argparse.Namespace, data: PictureSet) -> tuple[Generator, torch.Tensor, float]:
    """The generator, its anchors, and how seeds mix them."""
    if args.world is not None:
        world = load_world(args.world)
        anchors = torch.from_numpy(world.tensors["bank.anchors"]).float()
        return build_networks(world).generator, anchors, world.card.mixing
    path = args.work / CHECKPOINT
    if not path.is_file():
        raise InputError(f"{path}: no checkpoint", "Name a world, or the folder of a training with --work.")
    generator = Generator(WIDE)
    state = read_state(path)
    with restoring(path):
        generator.load_state_dict(state["average"])
    return generator.requires_grad_(False), data.anchors, MIXING


def run_distance(args: argparse.Namespace) -> int:
    """Print the distances of a world's or a checkpoint's seeds to held-out photos, as JSON.

    The pictures of a square world are compared with the central squares of the same photos.
    """
    data = picture_set(data_root(args.data), args.work / PICTURES, *WIDE.shape(), WIDE.z_dim)
    generator, anchors, mixing = _generator_and_anchors(args, data)
    height, width = generator.config.shape()
    photos = HeldOutPhotos(data, Backbone(), square=args.square or height == width)
    found = {f"psi {psi}": distances(generator, anchors, photos, args.count, psi, mixing).table() for psi in args.psi}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 0


def add_pack_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `generator-pack`."""
    parser.add_argument("out", type=Path, help="file to write")
    parser.add_argument("--data", help="data folder (default: $SONORAMA_DATA, else ../shared/data)")
    parser.add_argument("--work", type=Path, default=Path("build/wide"), help="folder of the training (%(default)s)")
    parser.add_argument("--largest", type=float, default=60.0, metavar="MB", help="size allowed (%(default)s)")
    parser.add_argument(
        "--size", type=int, choices=(128, WIDE.size, 512), default=WIDE.size, help="height in px (%(default)s)"
    )


def run_pack(args: argparse.Namespace) -> int:
    """Write pictures, codes and backbone into one file for tests/gpu/world.sh."""
    own = args.work / (PICTURES if args.size == WIDE.size else f"pictures-{args.size}.safetensors")
    data = picture_set(data_root(args.data), own, *replace(WIDE, size=args.size).shape(), WIDE.z_dim)
    quality = write_pack(data, args.out, args.largest)
    log.info("%s: %.1f MB, JPEG quality %d", args.out, args.out.stat().st_size / 1e6, quality)
    return 0
