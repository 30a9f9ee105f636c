"""Worlds of any size with seeded random weights: untrained, to test that the program builds, plays and exports them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from sonorama.engine.model.card import Card
from sonorama.engine.model.config import (
    LEVEL_CUTS,
    AnyGenerator,
    EncoderConfig,
    FramesConfig,
    GeneratorConfig,
    MotionConfig,
    SoundConfig,
)
from sonorama.engine.model.generator import Generator
from sonorama.engine.model.joint_embedding import SoundEncoder
from sonorama.engine.model.mel import BANDS, SOUND_COLUMNS
from sonorama.engine.model.motion_rnn import MotionNetwork
from sonorama.engine.model.sound_inversion import SoundInversionEncoder
from sonorama.engine.model.texture_statistics import statistics
from sonorama.engine.model.world_file import save_world

CLASSES = ("rain", "wind", "fire")
WIDTHS = (32, 64, 128, 192)


def write_world(
    path: Path,
    name: str = "tiny",
    *,
    size: int = 64,
    const: tuple[int, int] = (4, 4),
    num_ws: int = 0,
    cuts: tuple[int, int] = LEVEL_CUTS,
    widths: tuple[int, ...] = WIDTHS,
    hidden: int = 128,
    rnn_hidden: int = 128,
    frames: FramesConfig | None = None,
    names: tuple[str, ...] = (),
    displacements: bool = False,
    generator: AnyGenerator | None = None,
    places: bool = False,
) -> Card:
    """Write a world of 64 px, narrow unless told otherwise, whose motion and encoder answer to sound.

    const: (height, width) of the constant. num_ws: 0 for as many as the blocks take. hidden: of E_a's heads.
    frames: of the frame encoder; without one F_a hears statistics.
    names: of other sounds than the classes. displacements: whether each class has one of its own.
    generator: of other sizes than `size` and `const` say, or of another kind.
    places: whether each class but the last has two.
    """
    torch.manual_seed(5)
    shape = generator or GeneratorConfig(size, 16, 32, 1, 512, 16, *const)
    num_ws = num_ws or shape.num_ws
    heard = statistics(torch.rand(1, 1, BANDS, SOUND_COLUMNS)).shape[1] if frames is None else frames.code
    f_a = SoundConfig(heard, 128, 16, 1)
    e_a = EncoderConfig(num_ws, shape.w_dim, f_a.code_dim, widths, hidden, cuts)
    e_rnn = MotionConfig(num_ws, shape.w_dim, rnn_hidden, cuts)
    networks = {
        "generator": Generator(shape, num_ws),
        "encoder": SoundInversionEncoder(e_a),
        "motion": MotionNetwork(e_rnn),
        "sound": SoundEncoder.sized(f_a, frames),
    }
    tensors = {
        f"{part}.{key}": (value if value.any() else torch.randn_like(value.float()) * 0.1).numpy()
        for part, network in networks.items()
        for key, value in network.state_dict().items()
    }
    tensors["generator.mapping.w_std"] = np.ones(shape.w_dim, np.float32)
    tensors["labels.codes"] = np.eye(len(CLASSES), f_a.code_dim, dtype=np.float32)
    if displacements:
        shape_d = (len(CLASSES), num_ws, shape.w_dim)
        tensors["meaning.displacements"] = np.random.default_rng(6).standard_normal(shape_d).astype(np.float32)
    if places:
        classes = np.repeat(np.arange(len(CLASSES) - 1, dtype=np.int32), 2)
        latents = np.random.default_rng(7).standard_normal((len(classes), shape.w_dim)).astype(np.float32)
        tensors |= {"meaning.places": latents, "meaning.place_classes": classes}
    if names:
        tensors["names.codes"] = np.eye(len(names), f_a.code_dim, len(CLASSES), dtype=np.float32)
    tensors["labels.scale"] = np.array([10.0], np.float32)
    card = Card(name, "0", "CC0-1.0", "Untrained.", shape, e_a, e_rnn, f_a, frames, classes=CLASSES, names=names)
    return save_world(path, card, tensors)


def with_card(world: Path, out: Path, edit: Callable[[dict[str, Any]], object], version: str = "2") -> None:
    """Write a world again with its card's JSON values edited in place, unchecked, as another program could."""
    with safe_open(world, "np") as file:
        values = json.loads(file.metadata()["card"])
    edit(values)
    meta = {"format": "sonorama-world", "format_version": version, "card": json.dumps(values)}
    save_file(load_file(world), out, meta)


def as_version_1(values: dict[str, Any]) -> None:
    """Leave of a card's values what version 1 had."""
    kept = ("classes", "content", "credits", "description", "generator", "joint", "level_cuts", "licence", "measures")
    for name in values.keys() - {*kept, "motion_rate", "name", "num_ws", "size", "version"}:
        del values[name]
    for name in ("const_height", "const_width"):
        del values["generator"][name]
