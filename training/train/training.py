"""From a folder of footage to a world that plays: data set, plan, stages, world file."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from ...engine.cli.progress import Progress
from ...engine.errors import InputError, ValueRefused, one_line
from ...engine.files.atomic import translated, write_bytes
from ...engine.files.fingerprint import MADE_BY, sha256
from ...engine.files.folders import worlds_folder
from ...engine.model.own_worlds import check_name
from ...engine.model.world_file import find_world, read_card
from ...engine.units import DEFAULT_WORLD
from ..data.labels import table
from ..data.photos import FOLDERS, PICTURES, picture_set
from ..event_log import EventLog
from ..footage.build import Wishes, build
from ..footage.crops import ratio
from ..footage.manifest import MANIFEST
from ..footage.settings import SETTINGS, Settings
from ..packing import About
from ..processes import Devices
from ..recipe import FILE, Recipe
from ..runner import REQUEST, TrainingRun, check_out, generator_stage, make_world
from ..stage_order import open_stages
from .costs import Pace, generator_costs, later_costs, measure_pace
from .lock import LOCK, alone_in
from .narrator import Narrator
from .presets import PRESETS, Preset, fitted, preset_of, recipe_of
from .preview import Preview
from .schedule import Schedule, in_words

log = logging.getLogger(__name__)
DATASET, DATA_HASH = "dataset", "dataset.sha256"
"""Of a work folder: the data set made of footage; the hash of the manifest of the one that is trained on."""


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
    _check_options(request)
    out = request.out or worlds_folder() / f"{request.world}.safetensors"
    check_out(out, request.work)
    device = _device(request.device)
    start = None if request.start is None else find_world(request.start)
    base = _base(request)
    _check_minutes(request, device)
    new = not os.path.lexists(request.work)
    _claim(request)
    with alone_in(request.work):
        try:
            _train(request, out, device, start, base)
        except InputError:
            if new and {path.name for path in request.work.iterdir()} == {REQUEST, LOCK}:  # nothing was begun in it
                shutil.rmtree(request.work, ignore_errors=True)
            raise
    return out


def _train(request: Request, out: Path, device: torch.device, start: Path | None, base: Path | None) -> None:
    begun = time.monotonic()
    root = _data_set(request)
    recipe = _recipe(request, root, device, start, begun)
    expected = _expected(recipe, measure_pace(device))
    log.info("All of it takes %s here.", in_words(sum(expected.values())))
    processes = Devices(device.type, request.devices, request.nodes).launch()
    if not processes.first:  # the first one makes the other stages alone
        generator_stage(TrainingRun(root, request.work, recipe, start, listeners=(), processes=processes))
        return
    with Narrator(Schedule(expected)) as narrator:
        preview = Preview(request.work, recipe.stage_0.grid_s)
        run = TrainingRun(
            root, request.work, recipe, start, base=base, listeners=(narrator,), reports=(preview,),
            processes=processes, events=EventLog(request.work),
        )  # fmt: skip
        about = About(request.world, request.release, request.description, request.licence)
        make_world(run, out, about, request.stages)


def _base(request: Request) -> Path | None:
    if request.base != "none":
        return find_world(request.base or request.start or DEFAULT_WORLD)
    if request.start is not None:
        raise InputError("--base none does not go with --from", "Leave one of them out.")
    return None


def _check_options(request: Request) -> None:
    """Refuse what is seen before any work."""
    name = request.world
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,40}", name):
        raise ValueRefused(f"--world {one_line(name)} is no name", "Use up to 41 of a-z, A-Z, 0-9, - and _.")
    check_name(name)
    open_stages(request.stages)
    Devices("cpu", request.devices, request.nodes).check()
    told = [k for k in ("author", "table") if getattr(request, k)] + ["layout"] * (request.layout != "auto")
    if told and (request.folder / MANIFEST).is_file():
        what = f"{request.folder} is a data set already: --{told[0]} is for footage"
        raise ValueRefused(what, "Say it in its MANIFEST.tsv, or leave it out.")
    if request.start and 0 < request.size < read_card(find_world(request.start)).generator.size:
        raise ValueRefused(f"{request.start} is larger than --size {request.size}", "Leave --size out.")


def _device(name: str) -> torch.device:
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise ValueRefused("torch finds no CUDA device here", "Use --device cpu, or see sonorama doctor.")
    return torch.device("cuda" if there and name != "cpu" else "cpu")


def _check_minutes(request: Request, device: torch.device) -> None:
    """Refuse a time that is too short even for footage that needs none, before the data set is made."""
    if request.minutes is None or (request.work / FILE).is_file():
        return
    recipe = recipe_of(PRESETS[_preset_name(request, device)], request.size)
    fitted(
        recipe if request.scale == 1 else recipe.scaled(request.scale), 60 * request.minutes, 0.0, measure_pace(device)
    )


def _preset_name(request: Request, device: torch.device) -> str:
    return request.preset or preset_of(request.minutes, device.type == "cuda")


def _claim(request: Request) -> None:
    """Keep what was asked for. InputError where the folder belongs to another training, or is somebody else's."""
    asked = {k: str(v) for k, v in asdict(request).items() if k not in _FREE}
    asked |= {"folder": str(request.folder.resolve()), "made_by": MADE_BY}
    path, work = request.work / REQUEST, request.work
    if not request.folder.is_dir():
        raise InputError(f"There is no folder {request.folder}", "Give the folder that your footage is in.")
    if work.resolve().is_relative_to(request.folder.resolve()) and not (request.folder / MANIFEST).is_file():
        raise InputError(f"{work} lies inside the footage, and would be read as such", "Give another one with --work.")
    earlier = earlier_request(path)
    if earlier is not None and (work / FILE).is_file():  # planned: what was asked for cannot change any more
        differ = ", ".join(sorted(k for k in asked if asked[k] != earlier.get(k)))
        if differ:
            raise InputError(f"{work} is of a training that differs in: {differ}", "Give another folder with --work.")
        return
    if not request.anywhere and earlier is None and os.path.lexists(work) and not _empty(work):
        raise InputError(f"{work} is there already, and is no training", "Give another folder with --work.")
    with translated(work):
        work.mkdir(parents=True, exist_ok=True)
    write_bytes(path, json.dumps(asked, indent=1).encode())


def earlier_request(path: Path) -> dict[str, str] | None:
    """What an earlier run was asked for; None where there was none."""
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) and told.get("made_by") == MADE_BY else None


def _empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _data_set(request: Request) -> Path:
    """The data set: the folder itself, or one that is made of its footage below the work folder. From the plan on it
    stays as it is, since pictures and classes that are learned already belong to it.

    InputError where it has changed since, or has no pictures.
    """
    planned, out = (request.work / FILE).is_file(), request.work / DATASET
    if (request.folder / MANIFEST).is_file():
        out = request.folder
    elif not planned:
        _make_data_set(request, out)
    kept, now = request.work / DATA_HASH, sha256(out / MANIFEST)
    if planned and kept.is_file() and kept.read_text() != now:
        raise InputError(f"{out} has changed since this training was planned", "Give another folder with --work.")
    if not planned:
        write_bytes(kept, now.encode())
    return out


def _make_data_set(request: Request, out: Path) -> None:
    wishes = Wishes(request.folder, out, Settings(), request.layout, request.table, request.author, request.licence)
    with Progress("footage") as progress:
        built = build(wishes, progress)
    for sentence in built.sentences:
        log.info("%s", sentence)
    if not any(row["file"].split("/")[0] in FOLDERS for row in table(out / MANIFEST)):
        raise InputError(f"{request.folder} has no pictures", "Add videos or photos.")


def _recipe(request: Request, root: Path, device: torch.device, start: Path | None, begun: float) -> Recipe:
    """The recipe of the work folder; where there is none, one is made, and fitted into the time that is left."""
    if (request.work / FILE).is_file():
        return Recipe.read(request.work)
    name = _preset_name(request, device)
    recipe = shaped(PRESETS[name], request.size, root, start)
    if request.scale != 1:
        recipe = recipe.scaled(request.scale)
    if request.clip:
        recipe = replace(recipe, joint=replace(recipe.joint, clip=request.clip))
    minutes = request.minutes or PRESETS[name].minutes
    generator = recipe.generator
    picture_set(root, request.work / PICTURES, *generator.shape(), generator.z_dim)
    if minutes:
        recipe = fitted(recipe, 60 * minutes, time.monotonic() - begun, measure_pace(device))
    recipe.claim(request.work)
    return recipe


def shaped(preset: Preset, size: int, root: Path, start: Path | None) -> Recipe:
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


def _expected(recipe: Recipe, pace: Pace) -> dict[str, float]:
    """Seconds of every step of the training, by the names that its stages tell."""
    of = {}
    for phase, cost in zip(recipe.stage_0.phases, generator_costs(recipe), strict=True):
        name = f"generator {phase.side} px"
        of[name] = of.get(name, 0.0) + (
            min(phase.seconds, cost * pace.stage_0) if phase.seconds else cost * pace.stage_0
        )
    return of | {name: cost * pace.later for name, cost in later_costs(recipe).items()}
