"""`python -m sonorama.training`: makes worlds and measures them."""

from __future__ import annotations

import argparse
import contextlib
import logging
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from ..engine.cli.main import Terminated, ending_signals, report
from ..engine.errors import SonoramaError, needing_extra
from ..engine.units import DEFAULT_WORLD


def _parser() -> argparse.ArgumentParser:
    from . import ablation
    from .metrics import hearing, inversion, judge_report
    from .stages import joint
    from .stages.ears import command as ears
    from .stages.generator import command as generator

    parser = argparse.ArgumentParser("python -m sonorama.training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_world(commands.add_parser("world", help="all stages: sonorama train, on a data folder with the whole recipe"))
    card = commands.add_parser("card", help="rewrite a world's card in the newest format; its tensors stay")
    card.add_argument("world", help="name or path")
    card.add_argument("--out", type=Path, help="another file (default: the world itself)")
    for name in ("name", "version", "licence", "description"):
        card.add_argument(f"--{name}", help="new value (default: as it is)")
    card.set_defaults(run=run_card)
    measure = commands.add_parser("measure", help="measure a world; writes a JSON file, grids and contact sheets")
    measure.add_argument("world", help="name or path")
    measure.add_argument("--data", help="data folder (default: $SONORAMA_DATA, else ../shared/data)")
    measure.add_argument(
        "--work", type=Path, default=Path("build/world"), help="where pictures are cached (%(default)s)"
    )
    measure.add_argument("--out", type=Path, default=Path("build/measures"), help="folder (%(default)s)")
    measure.set_defaults(run=run_measure)
    for name, module, run in (
        ("joint", joint, joint.run_joint),
        ("generator", generator, generator.run_generator),
        ("hear-eval", hearing, hearing.run_hear_eval),
        ("inversion", inversion, inversion.run_inversion),
        ("ears", ears, ears.run_ears),
        ("ablation", ablation, ablation.run_ablation),
        ("judge", judge_report, judge_report.run_judge),
    ):
        extra = commands.add_parser(name, help=(module.__doc__ or "").splitlines()[0])
        module.add_arguments(extra)
        extra.set_defaults(run=run)
    distance = commands.add_parser("picture-distance", help="distances of a world's pictures to held-out photos")
    generator.add_distance_arguments(distance)
    distance.set_defaults(run=generator.run_distance)
    pack = commands.add_parser("generator-pack", help="pictures and backbone in one file, for tests/gpu/world.sh")
    generator.add_pack_arguments(pack)
    pack.set_defaults(run=generator.run_pack)
    return parser


def _add_world(world: argparse.ArgumentParser) -> None:
    from .processes import add_device_arguments

    world.add_argument("--data", help="data folder (default: $SONORAMA_DATA, else ../shared/data)")
    world.add_argument("--work", type=Path, default=Path("build/world"), help="where stages are kept (%(default)s)")
    world.add_argument("--name", required=True, help="of the world; not that of one that is shipped")
    world.add_argument("--out", type=Path, help="file to write (default: NAME.safetensors in the --work folder)")
    world.add_argument("--release", default="1", help="version on its card (%(default)s)")
    world.add_argument("--description", default="", help="on its card (default: what its data's manifest tells)")
    world.add_argument("--licence", default="", help="of the world, on its card (default: those of its data)")
    world.add_argument(
        "--size", type=int, default=0, choices=(0, 64, 128, 256), help="stop growing here; 0: at the recipe's"
    )
    world.add_argument(
        "--scale", type=_share, default=1.0, metavar="0..1", help="share of every stage's length (%(default)s)"
    )
    world.add_argument(
        "--clip", default="", metavar="NAME", help="words and pictures of a CLIP model: ViT-B-32:openai, NAME:FILE ..."
    )
    world.add_argument("--from", dest="start", metavar="WORLD", help="go on from this world")
    world.add_argument(
        "--base", metavar="WORLD",
        help="whose words, pictures and ears are taken where the data has no teacher; none: trained on the data "
        f"(default: that of --from, else {DEFAULT_WORLD})",
    )  # fmt: skip
    world.add_argument(
        "--stage", action="append", default=[], dest="stages", metavar="NAME",
        help="a training stage of another package (repeatable; all of them: sonorama plugins)",
    )  # fmt: skip
    add_device_arguments(world)
    world.set_defaults(run=run_world)


def _share(text: str) -> float:
    share = float(text)
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most 1")
    return share


def run_world(args: argparse.Namespace) -> int:
    """Train and pack a world: `sonorama train` with the whole recipe, and a folder that may hold other files."""
    from .data.photos import data_root
    from .train.training import Request, train

    train(
        Request(
            data_root(args.data), args.name, args.work, args.out or args.work / f"{args.name}.safetensors",
            preset="laptop", size=args.size, device=args.accelerator, devices=args.devices, nodes=args.nodes,
            start=args.start, base=args.base, licence=args.licence, description=args.description, release=args.release,
            stages=tuple(args.stages), scale=args.scale, clip=args.clip, anywhere=True,
        )
    )  # fmt: skip
    return 0


def run_card(args: argparse.Namespace) -> int:
    """Rewrite a card; the tensors stay as they are."""
    from ..engine.model.world_file import find_world, rewrite_card

    path = find_world(args.world)
    given = {name: getattr(args, name) for name in ("name", "version", "licence", "description")}
    card = rewrite_card(path, args.out or path, **{k: v for k, v in given.items() if v is not None})
    logging.info("%s: %s %s, content %s", card.path, card.name, card.version, card.content)
    return 0


def run_measure(args: argparse.Namespace) -> int:
    """Measure a world."""
    from .data.photos import data_root
    from .metrics.measure import measure

    measure(args.world, data_root(args.data), args.work, args.out)
    return 0


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated(number)


def main() -> int:
    """Entry point. Exit codes as those of `sonorama`: 2 refused, 129, 130 and 143 stopped by a signal."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    for number in ending_signals()[1:]:
        signal.signal(number, _terminate)
    try:
        with needing_extra():
            args = _parser().parse_args()
            return args.run(args)
    except SonoramaError as error:
        return report(error)
    except KeyboardInterrupt as stopped:
        with contextlib.suppress(OSError):  # the terminal may have gone
            sys.stderr.write("Stopped. The same command goes on from the last checkpoint.\n")
        return 128 + stopped.args[0] if isinstance(stopped, Terminated) else 130


if __name__ == "__main__":
    sys.exit(main())
