"""From a folder of footage to a world that plays: data set, plan, stages, world file."""

from __future__ import annotations

import json
import logging
import re
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from ...engine.cli.progress import Progress
from ...engine.errors import InputError, ValueRefused, one_line
from ...engine.files.atomic import write_bytes
from ...engine.files.folders import worlds_folder
from ...engine.model.world_file import INSTALLED, find_world, read_card, world_files
from ...engine.units import DEFAULT_WORLD
from ..data.photos import PICTURES, picture_set
from ..event_log import EventLog
from ..footage.build import Wishes, build
from ..footage.crops import ratio
from ..footage.manifest import MANIFEST
from ..footage.settings import SETTINGS, Settings
from ..packing import About
from ..processes import Devices
from ..recipe import FILE, Recipe
from ..runner import REQUEST, TrainingRun, check_out, generator_stage, make_world
from .costs import generator_costs, later_costs, measure_pace
from .narrator import Narrator
from .presets import PRESETS, Preset, fitted, preset_of, recipe_of
from .preview import Preview
from .schedule import Schedule, in_words

log = logging.getLogger(__name__)
DATASET = "dataset"
"""Folder in the work folder: the data set made of footage."""


_FREE = ("work", "out", "device", "devices", "nodes", "anywhere")
"""What may be asked for in another way when a training goes on."""


@dataclass(frozen=True)
class Request:
    """What `sonorama train` is asked for; see its options.

    Attributes:
        out: None: among the user's worlds.
        size: 0: the preset's.
        base: None: the world that it starts from, else the default one; "none": no world.
        scale: share of every stage's length.
        clip: a CLIP model by name, in the place of our own words and pictures.
        devices: processes that share stage 0, on each of `nodes` machines.
        anywhere: the work folder may have files in it that a training did not make.

    """

    folder: Path
    world: str
    work: Path
    out: Path | None = None
    minutes: float | None = None
    preset: str | None = None
    size: int = 0
    device: str = "auto"
    start: str | None = None
    base: str | None = None
    layout: str = "auto"
    table: Path | None = None
    author: str = ""
    licence: str = ""
    description: str = ""
    release: str = "1"
    stages: tuple[str, ...] = ()
    scale: float = 1.0
    clip: str = ""
    devices: int = 1
    nodes: int = 1
    anywhere: bool = False


def train(request: Request) -> Path:
    """Make the world, or go on; returns its file.

    Raises:
        InputError: the folder holds nothing to learn from, or the work folder belongs to another training.
        OutputError: a file or folder that is not ours would be replaced.
        ValueRefused: an option is not possible.
        WorldError: a world that it starts from cannot be had.

    """
    begun = time.monotonic()
    _check_name(request.world)
    out = request.out or worlds_folder() / f"{request.world}.safetensors"
    check_out(out, request.work)
    device = _device(request.device)
    start = None if request.start is None else find_world(request.start)
    base = _base(request)
    _claim(request)
    root = _data_set(request)
    recipe = _recipe(request, root, device, start, begun)
    expected = _expected(recipe, measure_pace(device))
    log.info("This takes %s here.", in_words(sum(expected.values())))
    processes = Devices(device.type, request.devices, request.nodes).launch()
    if not processes.first:  # the first one makes the other stages alone
        generator_stage(TrainingRun(root, request.work, recipe, start, listeners=(), processes=processes))
        return out
    out.parent.mkdir(parents=True, exist_ok=True)
    with Narrator(Schedule(expected)) as narrator:
        preview = Preview(request.work, recipe.stage_0.grid_s)
        run = TrainingRun(
            root, request.work, recipe, start, base=base, listeners=(narrator,), reports=(preview,),
            processes=processes, events=EventLog(request.work),
        )  # fmt: skip
        make_world(
            run, out, About(request.world, request.release, request.description, request.licence), request.stages
        )
    return out


def _base(request: Request) -> Path | None:
    if request.base != "none":
        return find_world(request.base or request.start or DEFAULT_WORLD)
    if request.start is not None:
        raise InputError("--base none does not go with --from", "Leave one of them out.")
    return None


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,40}", name):
        raise ValueRefused(f"--world {one_line(name)} is no name", "Use up to 41 letters, digits, - and _.")
    if name in {path.stem for path in world_files(INSTALLED)}:
        raise ValueRefused(f"{name} is the name of a world that comes with sonorama", "Choose another name.")


def _device(name: str) -> torch.device:
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise ValueRefused("torch finds no CUDA device here", "Use --device cpu, or see sonorama doctor.")
    return torch.device("cuda" if there and name != "cpu" else "cpu")


def _claim(request: Request) -> None:
    """Keep what was asked for. InputError where the folder belongs to another training, or is somebody else's."""
    asked = {k: str(v) for k, v in asdict(request).items() if k not in _FREE}
    asked["folder"] = str(request.folder.resolve())
    path, work = request.work / REQUEST, request.work
    if path.is_file() and (work / FILE).is_file():  # planned: what was asked for cannot change any more
        earlier = json.loads(path.read_text())
        differ = ", ".join(sorted(k for k in asked if asked[k] != earlier.get(k)))
        if differ:
            raise InputError(f"{work} is of a training that differs in: {differ}", "Give another folder with --work.")
        return
    if not request.anywhere and not path.is_file() and work.exists() and (not work.is_dir() or any(work.iterdir())):
        raise InputError(f"{work} is there already, and is no training", "Give another folder with --work.")
    if not request.folder.is_dir():
        raise InputError(f"There is no folder {request.folder}", "Give the folder that your footage is in.")
    work.mkdir(parents=True, exist_ok=True)
    write_bytes(path, json.dumps(asked, indent=1).encode())


def _data_set(request: Request) -> Path:
    """The data set: the folder itself, or one that is made of its footage below the work folder."""
    if (request.folder / MANIFEST).is_file():
        return request.folder
    out = request.work / DATASET
    wishes = Wishes(request.folder, out, Settings(), request.layout, request.table, request.author, request.licence)
    with Progress("footage") as progress:
        built = build(wishes, progress)
    for sentence in built.sentences:
        log.info("%s", sentence)
    return out


def _recipe(request: Request, root: Path, device: torch.device, start: Path | None, begun: float) -> Recipe:
    """The recipe of the work folder; where there is none, one is made, and fitted into the time that is left."""
    if (request.work / FILE).is_file():
        return Recipe.read(request.work)
    name = request.preset or preset_of(request.minutes, device.type == "cuda")
    recipe = _shaped(PRESETS[name], request.size, root, start)
    if request.scale != 1:
        recipe = recipe.scaled(request.scale)
    if request.clip:
        recipe = replace(recipe, joint=replace(recipe.joint, clip=request.clip))
    minutes = request.minutes or PRESETS[name].minutes
    generator = recipe.generator
    picture_set(root, request.work / PICTURES, *generator.shape(), generator.z_dim)
    if minutes:
        recipe = fitted(recipe, 60 * minutes - (time.monotonic() - begun), measure_pace(device))
    recipe.claim(request.work)
    return recipe


def _shaped(preset: Preset, size: int, root: Path, start: Path | None) -> Recipe:
    """The recipe of a preset in the shape of the data set; or in that of the world that it goes on from, less the
    phases of stage 0 that this world is beyond.
    """
    if start is not None:
        config = read_card(start).generator
        recipe = recipe_of(preset, max(size, config.size))
        phases = recipe.stage_0.phases
        ahead = tuple(p for p in phases if p.side > config.size) or phases[-1:]
        generator = replace(config, size=recipe.generator.size)
        return replace(recipe, generator=generator, stage_0=replace(recipe.stage_0, phases=ahead))
    recipe, path = recipe_of(preset, size), root / SETTINGS
    if not path.is_file():
        return recipe
    columns = max(2, round(4 * ratio(json.loads(path.read_text())["aspect"])))
    return replace(recipe, generator=replace(recipe.generator, const_width=columns))


def _expected(recipe: Recipe, pace: float) -> dict[str, float]:
    """Seconds of every step of the training, by the names that its stages tell."""
    of = {}
    for phase, cost in zip(recipe.stage_0.phases, generator_costs(recipe), strict=True):
        name = f"generator {phase.side} px"
        of[name] = of.get(name, 0.0) + (min(phase.seconds, cost * pace) if phase.seconds else cost * pace)
    return of | {name: cost * pace for name, cost in later_costs(recipe).items()}
