"""`sonorama evaluate`: figures of a world beside baselines, as JSON and Markdown. Heavy imports wait until it runs."""

from __future__ import annotations

import argparse
import hashlib
import logging
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...engine.cli.arguments import parse_out
from ...engine.errors import InputError, OutputError, one_line

if TYPE_CHECKING:
    from torch import Tensor

    from ...engine.cli.main import Commands
    from ...engine.model.world_file import World
    from ..data.recordings import Recording
    from .conditions import Condition, Playback, Stimulus
    from .figures import Eyes
    from .film_log import FilmLog
    from .films import Row
    from .other_models import OtherModel

log = logging.getLogger(__name__)
FIGURES = "figures.json"


def _between(low: float, high: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low:g} and {high:g}")
        return value

    return number


def _count(text: str) -> int:
    return int(_between(1, 1000)(text))


def add_evaluate(commands: Commands) -> None:
    """Add `sonorama evaluate`."""
    parser = commands.add_parser("evaluate", help="figures of a world beside baselines", allow_abbrev=False)
    parser.add_argument("world", metavar="WORLD", help="name or path")
    parser.add_argument("--data", help="data folder with recordings (default: $SONORAMA_DATA, else ../shared/data)")
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("evaluation"), metavar="FOLDER", help="default: %(default)s"
    )
    parser.add_argument(
        "--split", choices=("development", "final"), default="development",
        help="recordings to use: those that choices are made by, or those kept for figures (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--seeds", type=int, default=5, choices=(5, 6, 8, 10), help="default: %(default)s")
    parser.add_argument("--each", type=_count, default=1, metavar="N", help="recordings of each class (%(default)s)")
    parser.add_argument(
        "--seconds", type=_between(0.4, 600), default=4.0, metavar="S", help="of each film (%(default)s)"
    )
    parser.add_argument(
        "--minutes", type=_between(0, 600), default=10.0, metavar="M", help="of the stability run; 0: none"
    )
    parser.add_argument(
        "--judge",
        type=Path,
        metavar="FOLDER",
        help="add the frozen judge, kept there (fitted in minutes where it is not)",
    )
    parser.add_argument("--i3d", type=Path, metavar="FILE", help="Kinetics-400 weights of I3D: adds FVD and IS")
    parser.add_argument(
        "--ablation", choices=("levels", "mode", "once", "kappa"),
        help="instead of baselines: each level alone (Fig. 7), literal motion (eq. 4), a sound that is heard once, or "
        "how far the learned motion may go (sec. 5)",
    )  # fmt: skip
    parser.add_argument(
        "--condition", action="append", default=[], metavar="NAME", help="only this one, such as ours (repeatable)"
    )
    parser.add_argument(
        "--sounds", type=parse_out, metavar="FOLDER",
        help="only write what another model needs to make the same films: sounds, and the first picture of each film",
    )  # fmt: skip
    parser.add_argument(
        "--films", action="append", default=[], metavar="NAME=FOLDER",
        help="add the films that another model made of them (repeatable)",
    )  # fmt: skip
    parser.set_defaults(run=run_evaluate)


def run_evaluate(args: argparse.Namespace) -> int:
    """Refuse what can be refused before torch is loaded; then play all conditions."""
    from .film_log import check_folder

    _offered(args)
    if args.sounds is not None and (args.films or args.judge):
        given = "--films" if args.films else "--judge"
        raise InputError(f"--sounds measures nothing, so that {given} has nothing to do", "Give one of them.")
    if args.sounds is None:
        check_folder(args.out)
    return _evaluate(args)


def _evaluate(args: argparse.Namespace) -> int:
    """Play all conditions and write the figures; prints the table."""
    import json

    from ...engine.cli.progress import Progress
    from ...engine.files.atomic import write_bytes
    from ...engine.inference.backend import open_backend
    from ...engine.model.world_file import load_world
    from .conditions import Playback
    from .films import rows, stimuli
    from .other_models import write_sounds

    world = load_world(args.world)
    eyes, judge = (None, "") if args.sounds else _eyes(world, args)
    heard = stimuli(_recordings(args, world), args.each, world.card.classes)
    if not heard:
        raise InputError(
            f"no {args.split} recording is of a class of {world.card.name}", "Give other --data or --split."
        )
    _warn_of_judge(args, heard)
    playback, seeds = Playback(world, open_backend(world, "cpu"), args.seconds), range(1, args.seeds + 1)
    if eyes is None:
        write_sounds(args.sounds, playback, heard, seeds)
        sys.stdout.write(f"sounds         {one_line(args.sounds.resolve())}\n")
        return 0
    conditions = _conditions(args, world, heard)
    others = _others(args, heard)
    for one in others:
        one.check(playback)
    names = [*conditions, *(one.name for one in others)]
    kept = film_log(args.out, _asked(args, world, heard, names, judge) | _films_of(others))
    try:
        films = len(heard) * args.seeds * len(names)
        ended = (args.out / FIGURES).exists()
        if ended and len(kept.rows) < films:
            message = f"{one_line(args.out)} has figures, but only {len(kept.rows)} of their {films} films"
            raise OutputError(message, "Choose another folder with -o.")
        with Progress(f"evaluate {world.card.name}") as progress:
            for row in rows(playback, heard, conditions, seeds, eyes, {r.film for r in kept.rows}, others):
                kept.add(row)
                progress(len(kept.rows), films)
        found = sorted(kept.rows, key=lambda r: (r.recording, r.seed, names.index(r.condition)))
        if not ended:
            figures = _figures(args, playback, heard, found, eyes)
            with suppress(OutputError):  # it is there, from a run that ended between the two
                write_bytes(args.out / "figures.md", _markdown(found).encode(), new=True)
            write_bytes(args.out / FIGURES, json.dumps(figures, indent=1).encode(), new=True)
            sys.stderr.write(f"written into {one_line(args.out)}\n")
    finally:
        kept.close()
    sys.stdout.write(_markdown(found))
    return 0


def _markdown(found: Sequence[Row]) -> str:
    """The tables of an evaluation."""
    from .report import by_class, class_table, markdown, tables

    return f"{markdown(tables(found))}\n{class_table(by_class(found))}"


def _warn_of_judge(args: argparse.Namespace, heard: Sequence[Stimulus]) -> None:
    from ..data.procedural_pictures import CLASSES

    if args.judge and (strange := sorted({s.class_id for s in heard}.difference(CLASSES))):
        log.warning("the judge knows only the nine classes; it has no figure for %s", ", ".join(strange))


def _asked(
    args: argparse.Namespace, world: World, heard: Sequence[Stimulus], conditions: Iterable[str], judge: str
) -> dict[str, Any]:
    """Everything that the figures depend on but the moving scenes of --data."""
    from importlib.metadata import version

    from ...engine.files.fingerprint import sha256

    return {
        "sonorama": version("sonorama"), "world": world.card.content, "split": args.split, "seconds": args.seconds,
        "minutes": args.minutes, "seeds": args.seeds, "conditions": list(conditions), "judge": judge,
        "i3d": sha256(args.i3d) if args.i3d else "",
        "recordings": [hashlib.sha256(s.sound.tobytes() + s.wrong.tobytes()).hexdigest() for s in heard],
    }  # fmt: skip


def film_log(out: Path, asked: Mapping[str, Any]) -> FilmLog:
    """The films of an evaluation of the same question, or a new one. OutputError: `out` cannot be used for it."""
    from .film_log import FilmLog, check_folder

    check_folder(out)
    kept = FilmLog(out, asked)
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        kept.begin()
        return kept
    kept.find()
    ended = "it has its figures" if (out / FIGURES).exists() else f"going on after {len(kept.rows)} films"
    sys.stderr.write(f"{one_line(out)} is there already: {ended}\n")
    return kept


def _figures(
    args: argparse.Namespace, playback: Playback, heard: Sequence[Stimulus], found: Sequence[Row], eyes: Eyes
) -> dict[str, Any]:
    """All that is written into figures.json."""
    from dataclasses import asdict

    from .clip_sets import clip_distances
    from .report import by_class, claims, tables
    from .stability import stability

    world, table = playback.world, tables(found)
    figures: dict[str, Any] = {
        "world": world.card.name, "content": world.card.content, "split": args.split, "seconds": args.seconds,
        "recordings": [f"{s.class_id}: {s.source}" for s in heard], "seeds": args.seeds,
        "table": {name: {k: asdict(e) for k, e in row.items()} for name, row in table.items()},
        "claims": claims(table),
        "by class": by_class(found),
        "films": [{k: v for k, v in vars(row).items() if k not in ("descriptor", "i3d")} for row in found],
    }  # fmt: skip
    real = _real_clips(args, world) if any(row.descriptor is not None for row in found) else []
    if clips := clip_distances(found, real, eyes.i3d):
        figures["clips"] = clips
    else:
        log.warning("no distances of clips: the films are too short, or there are too few of them or of held-out clips")
    if args.minutes:
        figures["stability"] = stability(playback, heard[0].sound, args.minutes)
    return figures


def _offered(args: argparse.Namespace) -> Mapping[str, Condition]:
    """The conditions to choose from. InputError where another one is asked for."""
    from .conditions import ABLATIONS, CONDITIONS

    offered = ABLATIONS[args.ablation] if args.ablation else CONDITIONS
    if unknown := [name for name in args.condition if name not in offered]:
        raise InputError(f"no condition {unknown[0]}", f"Choose from: {'; '.join(offered)}.")
    return offered


def _conditions(args: argparse.Namespace, world: World, heard: Sequence[Stimulus]) -> dict[str, Condition]:
    """Those that were asked for, or all; without those that this world or these recordings cannot have."""
    from ...engine.model.seed_bank import bank_part

    chosen = {name: c for name, c in _offered(args).items() if not args.condition or name in args.condition}
    if bank_part(world.tensors, "codes") is None and chosen.pop("TräumerAI-like", None):
        log.warning("%s has no codes of its seeds' pictures: no TräumerAI-like baseline", world.card.name)
    wrong = [name for name in chosen if name.endswith("wrong sound")]
    if len({stimulus.class_id for stimulus in heard}) == 1 and wrong:
        log.warning("all recordings are of one class: no wrong sound")
        chosen = {name: one for name, one in chosen.items() if name not in wrong}
    if not chosen:
        raise InputError("nothing is left to evaluate", "Choose other conditions, or data of several classes.")
    return chosen


def _others(args: argparse.Namespace, heard: Sequence[Stimulus]) -> list[OtherModel]:
    """Those whose films were given."""
    from .conditions import ABLATIONS, CONDITIONS
    from .other_models import OtherModel

    found, ours = list[OtherModel](), [*CONDITIONS, *(name for some in ABLATIONS.values() for name in some)]
    for given in args.films:
        names = [*ours, *(one.name for one in found)]
        found.append(OtherModel.find(given, heard, range(1, args.seeds + 1), names))
    return found


def _films_of(others: Sequence[OtherModel]) -> dict[str, Any]:
    """What of the question is about others' films; nothing where there are none."""
    return {"films": {one.name: one.fingerprint() for one in others}} if others else {}


def _recordings(args: argparse.Namespace, world: World) -> list[Recording]:
    from ..data.photos import data_root
    from ..data.recordings import read_recordings
    from ..data.splits import split

    meant = [(r, world.vocabulary.find(r.class_id)) for r in read_recordings(data_root(args.data))]
    recordings = [replace(r, class_id=name) for r, name in meant if name in world.card.classes]
    return split(recordings)[args.split == "final"]


def _real_clips(args: argparse.Namespace, world: World) -> list[Tensor]:
    """Held-out moving scenes of the data folder, in the world's shape; none where it has no photos."""
    from ..data.photos import data_root
    from .clip_sets import real_clips

    try:
        return real_clips(data_root(args.data), world.card.generator)
    except InputError as error:
        log.warning("%s", error.message)
        return []


def _eyes(world: World, args: argparse.Namespace) -> tuple[Eyes, str]:
    """What judges pictures, and which judge it is."""
    from ...engine.model.open_clip_towers import load_joint
    from ...engine.model.world_file import find_world
    from ..backbone import Backbone
    from ..data.photos import data_root
    from ..metrics.i3d import load_i3d
    from ..metrics.judge_report import frozen_judge
    from ..stages.joint_space import Space
    from .figures import Eyes

    net = load_i3d(args.i3d) if args.i3d else None
    clip = str(world.card.joint.get("clip", "") or "")
    space = Space.read(find_world(args.world), load_joint(clip) if clip else None)
    if space.image is None and space.clip is None:
        raise InputError(
            f"{args.world}: its joint space sees no pictures", "Evaluate a world that was trained with words."
        )
    judge, fitted = frozen_judge(data_root(args.data), args.judge) if args.judge else (None, {})
    return Eyes(space.eyes(), Backbone(), judge, net), str(fitted.get("key", ""))
