"""The stages that make a world, in order. Each leaves its file in the work folder and is passed over when it is
there, so that an interrupted training goes on; with `start`, the first stage goes on from a shipped world.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ..engine.errors import InputError, OutputError
from ..engine.files.atomic import check_folder, replacing, translated, write_bytes
from ..engine.files.fingerprint import sha256
from ..engine.model.build import build_networks
from ..engine.model.generator import Generator
from ..engine.model.mel import log_mel
from ..engine.model.open_clip_towers import load_joint
from ..engine.model.sound_inversion import EncoderConfig, SoundInversionEncoder
from ..engine.model.world_file import load_world
from .backbone import Backbone
from .checkpoints import AGAIN, write_tensors
from .data.class_photos import class_anchors, weather_of
from .data.labels import Labels
from .data.photos import PICTURES, PictureSet, photo_tags, picture_set
from .data.recordings import training_recordings
from .event_log import EventLog
from .metrics.distance import HeldOutPhotos, too_few
from .packing import About, Trained, bank_codes, pack
from .processes import ALONE, Processes
from .recipe import Recipe
from .stage_order import open_stages, run_stages, with_extra
from .stages.directions import PlaceLatents, find_directions
from .stages.ears.names import class_aliases
from .stages.generator.interrupt import stop_between_steps
from .stages.generator.mixtures import MIXING, TRUNCATION
from .stages.generator.progress import Progress, distances
from .stages.generator.statistics import set_w_statistics
from .stages.generator.trainer import GeneratorTrainer
from .stages.joint_space import Space, told_of
from .stages.recovery import check_tensors
from .stages.sound_inversion import Judges, guide_by_sound
from .status import Status, StatusListener, Tell, log_status

log = logging.getLogger(__name__)
JOINT, LABELS = "joint.safetensors", "joint/labels.json"
"""Files of a work folder: the joint space; of which of the world's classes the files of the data are."""
PACKED, REQUEST = "packed.sha256", "request.json"
"""Files of a work folder: the hashes of the last world files that were made there; what `sonorama train` was asked for.
"""
NOTES = "notes"
"""Folder in the work folder: the stages' figures, for the world's card."""
PICTURE_FIGURES = "pictures"
"""Name of the note of distances to photos."""


@dataclass(frozen=True)
class TrainingRun:
    """A training.

    Attributes:
        root: data folder.
        work: work folder.
        recipe: of all stages.
        start: world that the generator goes on from, if any.
        base: world whose words, pictures and ears are taken where the data folder has no teacher (default: `start`);
            where there is neither, they are trained on the data.
        listeners: hear how far a stage is.
        reports: called with the trainer at every checkpoint of stage 0.
        processes: that share stage 0, and their device; the other stages run in one process on the CPU.
        events: TensorBoard's, if wanted; hears as the listeners do, and gets the sheets of stage 0.

    """

    root: Path
    work: Path
    recipe: Recipe
    start: Path | None = None
    listeners: tuple[StatusListener, ...] = (log_status,)
    base: Path | None = None
    reports: tuple[Callable[[GeneratorTrainer], None], ...] = ()
    processes: Processes = ALONE
    events: EventLog | None = None

    def tell(self, stage: str) -> Tell:
        """How a stage of this name tells where it is."""

        def tell(share: float, /, **figures: float) -> None:
            self.hear(Status(stage, share, figures))

        return tell

    def all_reports(self, first: Callable[[GeneratorTrainer], None]) -> Callable[[GeneratorTrainer], None]:
        """One report that makes `first`, then all of ours."""

        def report(trainer: GeneratorTrainer) -> None:
            for one in (first, *self.reports):
                one(trainer)

        return report

    def hear(self, status: Status) -> None:
        """Pass it to all listeners."""
        for listener in (*self.listeners, *([] if self.events is None else [self.events])):
            listener(status)

    @property
    def labels(self) -> Labels:
        """Of which classes the files are; known from the joint stage on."""
        return Labels.read(self.work / LABELS)

    def pictures(self) -> PictureSet:
        """The training pictures, made once."""
        generator = self.recipe.generator
        return picture_set(self.root, self.work / PICTURES, *generator.shape(), generator.z_dim)

    def once(self, name: str, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        """The tensors of a stage: read where its file is, else made, checked and written."""
        path = self.work / f"{name}.safetensors"
        if not path.is_file():
            if "/" not in name:  # a part of a stage, which tells for itself
                log.info("stage %s", name)
                self.tell(name)(0.0)
            made = make()
            check_tensors(name, made)
            write_tensors(path, made)
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise InputError(f"{path} is damaged", AGAIN) from error

    def note(self, name: str, measures: dict[str, Any]) -> None:
        """Keep a stage's own figures beside its file."""
        path = self.work / NOTES / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, json.dumps(measures, indent=1).encode())

    def notes(self) -> dict[str, Any]:
        """All stages' figures."""
        return {p.stem: json.loads(p.read_text()) for p in sorted((self.work / NOTES).glob("*.json"))}


def generator_stage(shop: TrainingRun) -> Generator:
    """Stage 0, with sheets of pictures and distances beside its checkpoints."""
    data, config, processes = shop.pictures(), shop.recipe.generator, shop.processes

    def make() -> dict[str, Tensor]:
        torch.manual_seed(20)
        plan, low = shop.recipe.stage_0, processes.has_bfloat16
        trainer = GeneratorTrainer(data, config, plan, shop.work, bfloat16=low, processes=processes)
        if not trainer.load() and shop.start is not None:
            trainer.start_from(build_networks(load_world(shop.start)).generator)
        progress = Progress(shop.work, trainer.data, shop.recipe.stage_0, shop.events)
        with processes.ending_quietly(), stop_between_steps() as stop:
            trainer.run(stop, shop.all_reports(progress), shop.hear)
        return trainer.average.state_dict()

    generator, known = Generator(config), processes.of_first((shop.work / "generator.safetensors").is_file())
    if processes.first:
        generator.load_state_dict(shop.once("generator", make))
    elif not known:
        generator.load_state_dict(make())
    if processes.threads:
        torch.set_num_threads(processes.threads)  # the other stages have the processor for themselves
    return set_w_statistics(generator, data.anchors).eval().requires_grad_(False)


def recordings_by_class(shop: TrainingRun, space: Space) -> list[list[Tensor]]:
    """Log-mel [128,T] of every recording that is not kept for final figures, by class; of the space's classes those
    after the nine may have none.
    """
    found = training_recordings(shop.root, space.classes, shop.labels.recordings)
    mels = [[torch.from_numpy(log_mel(r.samples)) for r in found if r.class_id == name] for name in space.classes]
    return [[m for m in row if m.shape[1] > 8] for row in mels]


def encoder_stage(
    shop: TrainingRun, generator: Generator, space: Space, directions: Tensor, mels: list[list[Tensor]]
) -> SoundInversionEncoder:
    """E_a: what it adds to the classes' displacements, by eqs. 2 and 3."""
    data = shop.pictures()
    torch.manual_seed(21)
    encoder = SoundInversionEncoder(
        EncoderConfig(
            generator.config.num_ws,
            generator.config.w_dim,
            space.labels.shape[1],
            shop.recipe.encoder.widths,
            level_cuts=shop.recipe.directions.level_cuts,
        ),
        generator.mapping.w_std,
    )
    hear, see = space.ears(), space.eyes()

    def make() -> dict[str, Tensor]:
        torch.manual_seed(21)
        figures = guide_by_sound(
            encoder,
            generator,
            directions,
            mels,
            data.anchors,
            Judges(hear, see, space.labels),
            shop.recipe.encoder,
            shop.tell("encoder"),
            class_places(shop, generator, space),
        )
        shop.note("encoder", {k: round(v, 3) for k, v in figures.items()})
        return encoder.state_dict()

    tensors = shop.once("encoder", make)
    try:
        encoder.load_state_dict(tensors)
    except RuntimeError as error:
        what = f"{shop.work / 'encoder.safetensors'} is an E_a of other sizes than the recipe's"
        raise InputError(what, "Give another folder with --work.") from error
    return encoder.eval().requires_grad_(False)


def check_out(out: Path, work: Path) -> None:
    """Refuse, before hours of work, to replace a file that is not the world that was packed from this work folder."""
    if out.is_dir():
        raise OutputError(f"{out} is a folder", "Give the name of a file with --out.")
    packed = work / PACKED
    if out.exists() and not (packed.is_file() and sha256(out) in packed.read_text().split()):
        message = f"{out} is there already, and is not the world that was made in {work}"
        raise OutputError(message, "Give another file with --out, or move that one away.")
    check_folder(next(folder for folder in out.absolute().parents if folder.is_dir()), out)


def directions_stage(shop: TrainingRun, generator: Generator, space: Space) -> Tensor:
    """The displacements of the space's classes [K,L,W], in units of sigma_w; 0 for those after the nine."""

    def make() -> dict[str, Tensor]:
        places = class_places(shop, generator, space)
        photos = torch.bincount(places.classes, minlength=len(space.classes)).tolist()
        shop.note("directions", {"photos": dict(zip(space.classes, photos, strict=True))})
        plan, tell = shop.recipe.directions, shop.tell("directions")
        return {"directions": find_directions(generator, shop.pictures(), plan, places, len(space.classes), tell)}

    return shop.once("directions", make)["directions"][: len(space.classes)]


def class_places(shop: TrainingRun, generator: Generator, space: Space) -> PlaceLatents:
    """The places of the space's classes: latents of the photos that show them."""
    tags = photo_tags(shop.root, lambda file, tag: shop.labels.of(file, weather_of(file, tag)))
    return PlaceLatents.of(generator, class_anchors(shop.pictures(), tags, space.classes))


def note_pictures(shop: TrainingRun, generator: Generator) -> None:
    """Note the distances of seeds' pictures to photos that were kept out, where there are enough of these."""
    data, count = shop.pictures(), shop.recipe.stage_0.measure_seeds
    if PICTURE_FIGURES in shop.notes():
        return
    if why := too_few(data):
        log.info("no distances to photos: %s", why)
        return
    photos = HeldOutPhotos(data, Backbone())
    shop.note(PICTURE_FIGURES, distances(generator, data.anchors, photos, count, TRUNCATION, MIXING).table())


def bank_stage(shop: TrainingRun, generator: Generator, space: Space) -> dict[str, Tensor]:
    """The seed bank; and how near its pictures are to photos, for the card."""
    shop.tell("bank")(0.0)
    note_pictures(shop, generator)
    anchors = shop.pictures().anchors
    return {"anchors": anchors, "codes": bank_codes(generator, anchors, space.eyes(), shop.recipe.bank)}


def make_world(shop: TrainingRun, out: Path, about: About, extra: Sequence[str] = ()) -> None:
    """All stages, then the world file.

    Args:
        shop: the run.
        out: the world file.
        about: name, version, description and licence, for its card.
        extra: training stages of other packages; what they make is packed below the names of their outputs.

    Raises:
        InputError: the work folder holds another recipe.
        WorldError: a named CLIP model cannot be had.
        OutputError: `out` is there and did not come from this work folder.
        SonoramaError: a stage is unknown, or does not fit the others.

    """
    check_out(out, shop.work)
    stages = open_stages(extra)
    if shop.recipe.joint.clip:
        load_joint(shop.recipe.joint.clip)  # hours before it is needed: say now that it is not here
    shop.recipe.claim(shop.work)
    made = run_stages(shop, stages)
    generator: Generator = made["generator"]
    space: Space = made["space"]
    places, played = class_places(shop, generator, space), shop.recipe.played
    ways = played.displacements(made["directions"], space.classes, places.classes)
    parts = {"motion": made["motion"].state_dict(), "bank": made["bank"]}
    parts["encoder"] = played.encoder(made["encoder"].state_dict(), places.classes)
    parts["meaning"] = {"displacements": ways * generator.mapping.w_std} | places.tensors()
    for key, value in space.tensors().items():
        prefix, rest = key.split(".", 1)
        parts.setdefault(prefix, {})[rest] = value
    parts = with_extra(parts, {output: made[output] for one in extra for output in stages[one].outputs})
    clip = "" if space.clip is None else space.clip.name
    eyes = clip or "EfficientNet-Lite0 (ImageNet, Apache-2.0), frozen"
    joint = {"backbone": f"{eyes}; not in this file", **asdict(shop.recipe.joint), "clip": clip}
    if base := told_of(shop.work / JOINT).get("base"):
        joint["base"] = base
    part = shop.work / "packed.safetensors"
    card = pack(
        part, shop.root, parts, Trained(generator, made["encoder"], made["motion"], space), about,
        aliases=class_aliases(space.classes) | shop.labels.named, measures=shop.notes(), joint=joint,
        motion_rate=shop.recipe.clips.rate,
    )  # fmt: skip
    before = sha256(out) if out.is_file() else ""
    # First the hashes: killed between the two, the next run still knows its own file.
    write_bytes(shop.work / PACKED, f"{sha256(part)} {before}".encode())
    with translated(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as copy, translated(out):
        shutil.copyfile(part, copy)
    part.unlink()
    log.info("%s: %s, %.1f MB", out, card.content[:12], out.stat().st_size / 1e6)
