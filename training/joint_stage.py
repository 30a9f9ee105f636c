"""The training stage that makes the joint space, and decides which classes the world has.

With a teacher in the data folder, or a CLIP model by name, F_a is trained on the data's sounds. Otherwise words,
pictures and ears are those of a base world, frozen. Only then has a data set classes of its own: their label codes are
learned on those frozen ears (stages/own_labels.py).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

from ..engine.control.render_table import MEANING_SLOTS
from ..engine.errors import InputError
from ..engine.model.open_clip_towers import load_joint
from .checkpoints import AGAIN
from .data.class_photos import photos_of
from .data.labels import OwnClasses, amounts, own_classes
from .data.photos import photo_tags
from .data.procedural_pictures import CLASSES
from .data.recordings import Recording, held_out, read_recordings
from .runner import JOINT, LABELS, TrainingRun
from .stages.ears.listening import listen
from .stages.ears.names import EXTRA_CLASSES, built_in
from .stages.ears.teacher import teacher_file
from .stages.joint import prepare as prepare_joint
from .stages.joint_clip import prepare_named
from .stages.joint_space import JointTraining, Space, save, told_of
from .stages.own_labels import OwnLabelTraining, hear, held_out_windows, learn, prior, shares
from .stages.recovery import check_tensors
from .stages.sound_groups import grouped_classes

log = logging.getLogger(__name__)
SHOWN = 24
"""Photos of a class that are looked at for its label code."""


def joint_stage(shop: TrainingRun) -> Space:
    """The joint space of the world, with all its classes.

    InputError: the base world hears or sees nothing.
    """
    path = shop.work / JOINT
    if not path.is_file():
        log.info("stage joint")
        shop.tell("joint")(0.0)
        space, plan, base = _space(shop)
        if not teacher_file(shop.root).is_file():
            space = _with_own_classes(shop, space)
        check_tensors("joint", space.tensors())
        save(space, path, plan, plan.words_steps + plan.sound_steps, base)
    try:
        clip = told_of(path)["plan"].get("clip", "")
        space = Space.read(path, load_joint(clip) if clip else None)
    except SafetensorError as error:
        raise InputError(f"{path} is damaged", AGAIN) from error
    return space.promoted(_extra(space)) if teacher_file(shop.root).is_file() else space


def _extra(space: Space) -> list[str]:
    """Of EXTRA_CLASSES those that are among its other names."""
    return [name for name in EXTRA_CLASSES if name in space.names]


def _space(shop: TrainingRun) -> tuple[Space, JointTraining, str]:
    """The space with the classes that training knows, the plan by which it was made, and the name of its base world."""
    plan, base = shop.recipe.joint, shop.base or shop.start
    if not plan.clip and base is not None and not teacher_file(shop.root).is_file():
        card = told_of(base)
        log.info("words, pictures and ears are those of %s", card["name"])
        clip = str(card.get("joint", {}).get("clip", "") or "")
        return known_space(base, clip), replace(plan, clip=clip), card["name"]
    listening = listen(shop.root, shop.work / "ears", shop.recipe.ears, shop.start)
    if plan.clip:
        material = prepare_named(shop.root, shop.work / "joint", plan, shop.pictures(), listening)
    else:
        material = prepare_joint(shop.root, shop.work / "joint", plan, shop.start, listening)
    return material.train(plan), plan, ""


def known_space(base: Path, clip: str = "") -> Space:
    """The joint space of a world, with the nine classes; what else it knows is among its other names.

    Args:
        base: the world file.
        clip: the CLIP model that its joint space is, if any.

    Raises:
        InputError: it lacks F_a or F_v, or one of the nine classes.

    """
    space = Space.read(base, load_joint(clip) if clip else None)
    if space.sound is None or (space.image is None and space.clip is None):
        raise InputError(f"{base}: this world hears no sounds or sees no pictures", "Give another one with --base.")
    names = (*space.classes, *space.names)
    codes = space.labels if space.name_codes is None else torch.cat([space.labels, space.name_codes])
    if missing := [name for name in CLASSES if name not in names]:
        raise InputError(f"{base}: this world does not know {missing[0]}", "Give another one with --base.")
    classes = tuple(CLASSES)
    other = tuple(name for name in names if name not in classes)
    rows = codes[[names.index(name) for name in other]]
    labels = codes[[names.index(name) for name in classes]]
    return replace(space, labels=labels, classes=classes, names=other, name_codes=rows if other else None)


def _with_own_classes(shop: TrainingRun, space: Space) -> Space:
    """The space with the data set's own classes after the nine and those of EXTRA_CLASSES that the data set holds;
    notes and logs what was decided.
    """
    told = amounts(shop.root)
    held = {built_in(name, (*space.classes, *_extra(space))) for name in told}
    space = space.promoted([name for name in _extra(space) if name in held])
    room = MEANING_SLOTS - len(space.classes)
    if told:
        found = own_classes(shop.root, lambda name: built_in(name, space.classes), room)
    else:
        found = grouped_classes(shop.root, space, room)
    found.labels.write(shop.work / LABELS)
    recordings = found.labels.recordings(read_recordings(shop.root))
    _say(found, recordings)
    if not found.names:
        return space
    out = held_out(shop.root)
    shown = _photos(shop, found)
    known = {name: code for name in found.names if (code := prior(space, name, shown[name])) is not None}
    learned_from = [r for r in recordings if r.file not in out]
    sounding = {r.class_id for r in learned_from}
    names = tuple(name for name in found.names if name in known or name in sounding)
    if nothing := [name for name in found.names if name not in names]:
        log.warning("left out, with neither a sound nor a photo to learn from: %s", ", ".join(nothing))
    plan = _label_plan(shop.recipe.joint)
    heard = hear(space, learned_from, names, plan)
    space = space.without_names(names).with_classes(names, learn(space, names, heard, known, plan))
    figures = {"own": {name: asdict(found.amounts[name]) for name in names}, "heard": shares(space, heard)}
    figures |= {"held_out": shares(space, held_out_windows(space, [r for r in recordings if r.file in out]))}
    figures |= {
        "named": found.labels.named,
        "left_out": [name for name in (*found.names, *found.left_out) if name not in names],
    }
    shop.note("classes", figures)
    log.info("heard as their class: %s", ", ".join(f"{name} {share:.0%}" for name, share in figures["heard"].items()))
    return space


def _photos(shop: TrainingRun, found: OwnClasses) -> dict[str, Tensor]:
    """Some photos of each own class [N,3,H,W] in [-1,1]."""
    data = shop.pictures()
    shown = photos_of(data, photo_tags(shop.root, found.labels.of), found.names)
    rows = {name: one.nonzero()[:SHOWN, 0] for name, one in zip(found.names, shown, strict=True)}
    return {name: data.pictures[index].float() / 127.5 - 1 for name, index in rows.items()}


def _label_plan(joint: JointTraining) -> OwnLabelTraining:
    """Fewer windows where the joint space is trained on few."""
    whole = OwnLabelTraining()
    return replace(
        whole,
        own=min(whole.own, max(12, joint.real // 3)),
        built_in=min(whole.built_in, max(4, joint.procedural // 5)),
    )


def _say(found: OwnClasses, recordings: Sequence[Recording]) -> None:
    """Log which classes there are, and what they lack."""
    if not recordings:
        log.info("the data set has no sound: the world answers to the nine classes that training can draw")
    for name, amount in found.amounts.items():
        log.info("own class %s: %d photos, %d clips, %d sounds", name, amount.photos, amount.clips, amount.sounds)
        if not amount.photos:
            log.warning("%s has no photo: its sound does not lead to pictures of its own", name)
        if not amount.sounds:
            log.warning("%s has no sound: it is known by its name and photos only", name)
    for name, class_id in found.labels.named.items():
        log.info("%s is taken for %s", name, class_id)
    if found.left_out:
        log.warning("no mixer slot is left for %s: they are background", ", ".join(found.left_out))
