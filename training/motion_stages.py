"""The training stages that make motion: E_RNN by inverted clips (3b), then E_RNN and E_a by discriminators (3)."""

from __future__ import annotations

import copy
import logging
from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor

from ..engine.model.generator import Generator
from ..engine.model.motion_rnn import MotionConfig, MotionNetwork
from ..engine.model.sound_inversion import SoundInversionEncoder
from .backbone import Backbone
from .data.footage_clips import footage_clips
from .data.inverted_clips import Clip, invert_footage, make_clip, painted
from .data.moving_clips import ClipDraws, MovingClip
from .data.photos import PICTURES, code_book
from .data.procedural_clips import SceneClips, clean_photos, sourced_mels
from .data.procedural_pictures import CLASSES
from .data.recordings import training_recordings
from .runner import TrainingRun, class_places
from .stages.directions import random_places
from .stages.generator.interrupt import stop_between_steps
from .stages.joint import Space
from .stages.motion_adversarial import Fixed, MotionAdversary
from .stages.motion_rest import rest_sounds, train_rest
from .stages.motion_roll import Physics
from .stages.motion_teacher import prepare, train_motion
from .stages.sound_inversion import Judges

log = logging.getLogger(__name__)


def make_clips(
    shop: TrainingRun, generator: Generator, space: Space, directions: Tensor, mels: list[list[Tensor]]
) -> list[Clip]:
    """Inverted clips: of footage, where the data has any, and drawn scenes of the nine classes; each is kept as soon as
    it is made.
    """
    plan, codes, backbone = shop.recipe.clips, shop.pictures().anchors, Backbone()
    tell, count = shop.tell("clips"), plan.clips * len(CLASSES)
    tell(0.0)
    clips = filmed_clips(shop, generator, space, directions, backbone)
    for i in range(count - len(clips)):
        tell(len(clips) / count)
        class_id, rng = i % len(CLASSES), torch.Generator().manual_seed(1000 + i)

        def make(class_id: int = class_id, rng: torch.Generator = rng) -> dict[str, Tensor]:
            mel = mels[class_id][int(torch.randint(len(mels[class_id]), (1,), generator=rng))]
            clip = make_clip(generator, directions, mel, class_id, codes, backbone, plan, rng)
            return {k: v for k, v in vars(clip).items() if isinstance(v, Tensor)}

        clips.append(Clip(**shop.once(f"clips/{i:03d}", make), class_id=class_id))
    return clips


def filmed_clips(
    shop: TrainingRun, generator: Generator, space: Space, directions: Tensor, backbone: Backbone
) -> list[Clip]:
    """Inverted clips of the data set's footage, at most the plan's share of all; every clip of the data set in turn,
    whose frames last long enough.
    """
    plan, found = shop.recipe.clips, list[Clip]()
    size = generator.config.shape(plan.size)
    filmed = footage_clips(shop.root, size=size, classes=space.classes, labels=shop.labels)
    trained = [c for c in filmed if not c.held]
    long_enough = [c for c in trained if len(c.frames) > (plan.ticks - 1) * max(1, round(c.rate / plan.rate))]
    if not long_enough:
        return []
    order = taking_turns(long_enough)
    book = code_book(shop.work / PICTURES)
    for i in range(int(plan.filmed * plan.clips * len(CLASSES))):
        clip = order[i % len(order)]

        def make(clip: MovingClip = clip, seed: int = 5000 + i) -> dict[str, Tensor]:
            rng = torch.Generator().manual_seed(seed)
            made = invert_footage(generator, directions, clip, book, backbone, plan, rng)
            return {k: v for k, v in vars(made).items() if isinstance(v, Tensor)}

        found.append(Clip(**shop.once(f"clips/filmed-{i:03d}", make), class_id=clip.class_id))
    return found


def taking_turns(clips: Sequence[MovingClip]) -> list[MovingClip]:
    """The same in another order: one of each class, then another of each, as long as there are any."""
    seen = Counter[int]()
    rounds = list[tuple[int, int, MovingClip]]()
    for number, clip in enumerate(clips):
        rounds.append((seen[clip.class_id], number, clip))
        seen[clip.class_id] += 1
    return [clip for _, _, clip in sorted(rounds, key=lambda one: one[:2])]


def motion_stage(
    shop: TrainingRun, generator: Generator, space: Space, encoder: SoundInversionEncoder, directions: Tensor,
    mels: list[list[Tensor]],
) -> tuple[MotionNetwork, list[Clip]]:  # fmt: skip
    """Stage 3b: E_RNN by teacher forcing on inverted clips; and those clips."""
    mapping, config = generator.mapping, generator.config
    torch.manual_seed(22)
    levels = MotionConfig(config.num_ws, config.w_dim, level_cuts=shop.recipe.directions.level_cuts)
    network = MotionNetwork(levels, mapping.w_avg, mapping.w_std)
    hear, clips = space.ears(), make_clips(shop, generator, space, directions, mels)

    def make() -> dict[str, Tensor]:
        with torch.no_grad():
            codes = [hear(c.long_windows) for c in clips]
        torch.manual_seed(22)
        batch = prepare(clips, encoder, codes, directions)
        figures = train_motion(network, batch, shop.recipe.clips.rate, shop.recipe.motion, shop.tell("motion"))
        shop.note("motion", {k: round(v, 5) for k, v in figures.items()})
        return network.state_dict()

    network.load_state_dict(shop.once("motion", make))
    return network.eval(), clips


def real_clips(shop: TrainingRun, generator: Generator, space: Space, inverted: list[Clip]) -> list[MovingClip]:
    """What the discriminators take for real: inverted clips as the generator paints them, or frames as they are: those
    of footage, where the data has any (sonorama footage), else procedural scenes.
    """
    plan, scenes = shop.recipe.adversarial, shop.recipe.scenes
    if plan.real == "inverted":
        return painted(inverted, generator, shop.recipe.clips, scenes.held_every)
    high, wide = shop.pictures().pictures.shape[2:]
    size = (plan.height, plan.height * wide // high)
    if filmed := footage_clips(shop.root, size=size, classes=space.classes, labels=shop.labels):
        return filmed
    mels = sourced_mels(training_recordings(shop.root, relabel=shop.labels.recordings))
    return SceneClips(clean_photos(shop.pictures(), scenes.height), mels, scenes).all(shop.work / "scenes")


def adversarial_stage(
    shop: TrainingRun, generator: Generator, space: Space, encoder: SoundInversionEncoder, motion: MotionNetwork,
    directions: Tensor, inverted: list[Clip],
) -> tuple[SoundInversionEncoder, MotionNetwork]:  # fmt: skip
    """Stage 3: E_a and E_RNN after eqs. 7 to 9, their averages; as they were where the plan has no steps."""
    plan = shop.recipe.adversarial
    encoder, motion = copy.deepcopy(encoder), copy.deepcopy(motion)

    def make() -> dict[str, Tensor]:
        clips = [c for c in real_clips(shop, generator, space, inverted) if not c.held]
        draws = ClipDraws(clips, plan.ticks, shop.recipe.clips.rate, plan.lead)
        physics = Physics.defaults(motion.config.level_sizes, shop.recipe.clips.rate)
        judges = Judges(space.ears(), space.eyes(), space.labels)
        codes = shop.pictures().anchors
        fixed = Fixed(generator, codes, directions, judges, physics, shop.recipe.encoder)
        torch.manual_seed(23)
        trainer = MotionAdversary(motion, encoder, fixed, draws, plan, shop.work / "adversarial.pt")
        trainer.load()
        with stop_between_steps() as stop:
            trainer.run(stop, shop.tell("adversarial"))
        parts = {"encoder": trainer.encoder_mean.state_dict(), "motion": trainer.motion_mean.state_dict()}
        return {f"{part}.{k}": v for part, state in parts.items() for k, v in state.items()}

    if plan.steps:
        made = shop.once("adversarial", make)
        for name, network in (("encoder", encoder), ("motion", motion)):
            network.load_state_dict({k[len(name) + 1 :]: v for k, v in made.items() if k.startswith(name + ".")})
    else:
        log.info("stage 3 (eqs. 7 to 9) is left out: the plan has no time for it")
        shop.note("adversarial", {"steps": 0})
    return encoder.eval().requires_grad_(False), motion.eval().requires_grad_(False)


def rest_stage(
    shop: TrainingRun, generator: Generator, space: Space, encoder: SoundInversionEncoder, motion: MotionNetwork,
    directions: Tensor, mels: list[list[Tensor]],
) -> MotionNetwork:  # fmt: skip
    """E_RNN at rest, hearing E_a as it is packed; as it was where the plan has no steps."""
    plan, played, hz = shop.recipe.rest, shop.recipe.played, shop.recipe.clips.rate
    motion = copy.deepcopy(motion)

    def make() -> dict[str, Tensor]:
        tell, placed = shop.tell("rest"), class_places(shop, generator, space).classes
        tell(0.0)
        packed = copy.deepcopy(encoder)
        packed.load_state_dict(played.encoder(encoder.state_dict(), placed))
        ways = played.displacements(directions, space.classes, placed)
        sounds = rest_sounds(packed, space.ears(), ways, mels, hz, plan)
        anchors, rng = shop.pictures().anchors, torch.Generator().manual_seed(24)

        def places(count: int) -> Tensor:
            with torch.no_grad():
                return generator.mapping(random_places(anchors, count, rng))

        torch.manual_seed(24)
        motion.requires_grad_(True)
        figures = train_rest(motion, sounds, places, hz, plan, tell)
        shop.note("rest", {k: round(v, 5) for k, v in figures.items()})
        return motion.state_dict()

    if plan.steps:
        motion.load_state_dict(shop.once("rest", make))
    return motion.eval().requires_grad_(False)
