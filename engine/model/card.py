"""The card of a world: name, credits and the configuration of every network, as JSON in the world file.

Anyone may have written a card, so every value is checked for type, range and agreement before anything is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

from ..units import LEVELS
from .config import (
    STYLEGAN3,
    AnyGenerator,
    EncoderConfig,
    FramesConfig,
    GeneratorConfig,
    ImageConfig,
    MelConfig,
    MotionConfig,
    SoundConfig,
    TextConfig,
    check_encoder,
    check_frames,
    check_generator,
    check_levels,
    parse,
    parse_generator,
)
from .stylegan3_config import StyleGAN3Config

SOUND_HZ, ENCODER_HZ = 4.0, 10.0
"""How often F_a and E_a are evaluated, a second of sound; F_a a little more often where it listens by frames."""
MOTION_HZ = (1.0, 240.0)
"""Range of motion_rate."""
TRUNCATIONS = (0.1, 1.2)
"""Range of a card's truncation."""
LONGEST_TEXT = 4000
MOST_INSET = 8
Shapes = Mapping[str, tuple[int, ...]]
"""Tensor name -> shape."""


@dataclass(frozen=True)
class Port:
    """One input or output of a network, without the batch axis. rate: Hz on the sound's sample grid; 0: once a frame
    or on request.
    """

    network: str
    direction: str
    name: str
    shape: tuple[int, ...]
    rate: float


@dataclass(frozen=True)
class Card:
    """What a world says of itself.

    Attributes:
        name, version, licence, description: for people.
        generator, encoder, motion, sound: sizes of G, E_a, E_RNN and F_a.
        image, text: sizes of the head of F_v and of F_t; None where the world has none.
        mel: the front end it was trained with.
        motion_rate: motion steps a second.
        classes: sounds that its pictures answer to, in the order of `labels.codes`.
        names: other sounds that it knows by name, in the order of `names.codes`.
        aliases: more names of its classes -> the class.
        joint: how its joint embedding was made.
        credits: one line for each source of training data.
        measures: figures of its training.
        truncation: of its seeds at the default of /look/truncation, 0.1 to 1.2: that of its best pictures.
        mixing: largest share of the second of two anchors in a seed, 0 to 0.5.
        inset: outermost pixels on every side that are not as the rest of the picture, and are left out where it is
            scaled.
        content: SHA-256 over all tensors.
        path: where it was read from; not part of the file.

    """

    name: str
    version: str
    licence: str
    description: str
    generator: AnyGenerator
    encoder: EncoderConfig
    motion: MotionConfig
    sound: SoundConfig
    frames: FramesConfig | None = None
    image: ImageConfig | None = None
    text: TextConfig | None = None
    mel: MelConfig = field(default_factory=MelConfig)
    motion_rate: float = 15.0
    classes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    aliases: dict[str, str] = field(default_factory=dict)
    joint: dict[str, Any] = field(default_factory=dict)
    credits: tuple[str, ...] = ()
    measures: dict[str, Any] = field(default_factory=dict)
    truncation: float = 0.7
    mixing: float = 0.5
    inset: int = 0
    content: str = ""
    path: str = ""

    @property
    def width(self) -> int:
        """Of the picture, px."""
        return self.generator.shape()[1]

    @property
    def height(self) -> int:
        """Of the picture, px."""
        return self.generator.shape()[0]

    @property
    def size(self) -> int:
        """The generator's `size`: side of the picture where the constant is 4 x 4."""
        return self.generator.size

    @property
    def num_ws(self) -> int:
        """L, the number of style codes."""
        return self.motion.num_ws

    @property
    def painted_rows(self) -> int:
        """Rows of what G takes: a style code each, and a last one for the placement where the world has it."""
        return self.num_ws + self.has_placement

    @property
    def has_placement(self) -> bool:
        """Whether its whole picture can be shifted and turned, as StyleGAN3's can (`/look/shift`, `/look/turn`)."""
        return isinstance(self.generator, StyleGAN3Config)

    @property
    def level_cuts(self) -> tuple[int, int]:
        """First mid and first fine code."""
        return self.motion.level_cuts

    @property
    def w_dim(self) -> int:
        """W, the width of a style code."""
        return self.generator.w_dim

    def level_of(self, code: int) -> str:
        """The level a style code belongs to."""
        return LEVELS[sum(code >= cut for cut in self.level_cuts)]

    def level_codes(self) -> dict[str, slice]:
        """Level -> its style codes."""
        a, b = self.level_cuts
        return dict(zip(LEVELS, (slice(0, a), slice(a, b), slice(b, self.num_ws)), strict=True))

    def ports(self) -> tuple[Port, ...]:
        """Inputs and outputs of the networks, named as in the ONNX graphs, in their order."""
        codes, embedding = (self.num_ws, self.w_dim), (self.sound.code_dim,)
        hidden = (len(LEVELS), self.motion.hidden)
        return (
            Port("sound", "in", "window", (1, self.mel.bands, self.mel.sound_columns), SOUND_HZ),
            Port("sound", "out", "code", embedding, SOUND_HZ),
            Port("encoder", "in", "window", (1, self.mel.bands, self.mel.encoder_columns), ENCODER_HZ),
            Port("encoder", "in", "code", embedding, ENCODER_HZ),
            Port("encoder", "out", "displacement", codes, ENCODER_HZ),
            Port("encoder", "out", "presence", (), ENCODER_HZ),
            Port("motion", "in", "u", codes, self.motion_rate),
            Port("motion", "in", "h", hidden, self.motion_rate),
            Port("motion", "out", "delta", codes, self.motion_rate),
            Port("motion", "out", "h_next", hidden, self.motion_rate),
            Port("mapping", "in", "z", (self.generator.z_dim,), 0.0),
            Port("mapping", "out", "w", codes, 0.0),
            Port("synthesis", "in", "ws", (self.painted_rows, self.w_dim), 0.0),
            Port("synthesis", "out", "picture", (3, self.height, self.width), 0.0),
        )

    def to_json(self) -> dict[str, Any]:
        """Values of the file's card (version 2); what follows from others is written too, for other readers."""
        values = {k: v for k, v in asdict(self).items() if k != "path"}
        if isinstance(self.generator, StyleGAN3Config):
            values["generator"]["kind"] = STYLEGAN3
        return values | self._derived()

    def _derived(self) -> dict[str, Any]:
        names = ("width", "height", "size", "num_ws", "level_cuts")
        return {name: getattr(self, name) for name in names} | {"ports": [asdict(port) for port in self.ports()]}

    def check(self) -> None:
        """ValueError, which says why, where the configurations cannot be built or do not belong together."""
        check_generator(self.generator)
        check_encoder(self.encoder)
        if self.frames is not None:
            check_frames(self.frames, self.sound)
        check_levels(self.num_ws, self.level_cuts)
        if self.has_placement and self.generator.num_ws != self.num_ws:
            raise ValueError(f"a StyleGAN3 generator of {self.generator.num_ws} codes has no others")
        if self.generator.num_ws > self.num_ws:
            raise ValueError(f"a generator of size {self.size} takes {self.generator.num_ws} codes, not {self.num_ws}")
        if (self.encoder.num_ws, self.encoder.level_cuts) != (self.num_ws, self.level_cuts):
            raise ValueError("encoder and motion differ in their style codes or levels")
        if {self.encoder.w_dim, self.motion.w_dim} != {self.w_dim}:
            raise ValueError("generator, encoder and motion differ in w_dim")
        towers = [tower for tower in (self.encoder, self.image, self.text) if tower is not None]
        if {tower.code_dim for tower in towers} != {self.sound.code_dim}:
            raise ValueError("the towers differ in code_dim")
        if self.mel != MelConfig():
            raise ValueError("it was trained with another mel front end than this version of sonorama computes")
        if not 0 <= self.inset <= min(MOST_INSET, min(self.width, self.height) // 8):
            raise ValueError(f"inset {self.inset} is not from 0 to {MOST_INSET} and an eighth of the picture")
        if not TRUNCATIONS[0] <= self.truncation <= TRUNCATIONS[1]:
            raise ValueError(f"truncation {self.truncation} is not from {TRUNCATIONS[0]:g} to {TRUNCATIONS[1]:g}")
        if not 0 <= self.mixing <= 0.5:
            raise ValueError(f"mixing {self.mixing} is not from 0 to 0.5")
        if not MOTION_HZ[0] <= self.motion_rate <= MOTION_HZ[1]:
            raise ValueError(f"motion_rate {self.motion_rate} is not from {MOTION_HZ[0]:g} to {MOTION_HZ[1]:g}")


def card_from_json(values: Any, version: int = 2, shapes: Shapes = MappingProxyType({})) -> Card:
    """A checked card from its JSON values.

    Args:
        values: parsed JSON.
        version: format version of the file: 2, or 1, whose cards know only the generator's sizes.
        shapes: of the file's tensors, for what a card of version 1 does not say.

    Raises:
        ValueError: says what is missing, of the wrong type, out of range or contradictory.

    """
    if not isinstance(values, dict):
        raise ValueError("it is no table")
    if version == 1:
        values = _upgraded(values, shapes)
    card = Card(
        name=_text(values, "name"),
        version=_text(values, "version"),
        licence=_text(values, "licence"),
        description=_text(values, "description"),
        generator=parse_generator(values.get("generator")),
        encoder=parse(EncoderConfig, values.get("encoder")),
        motion=parse(MotionConfig, values.get("motion")),
        sound=parse(SoundConfig, values.get("sound")),
        frames=None if values.get("frames") is None else parse(FramesConfig, values["frames"]),
        image=None if values.get("image") is None else parse(ImageConfig, values["image"]),
        text=None if values.get("text") is None else parse(TextConfig, values["text"]),
        mel=parse(MelConfig, values.get("mel")),
        motion_rate=_number(values, "motion_rate"),
        classes=_rows(values, "classes"),
        names=_rows(values, "names"),
        aliases=_aliases(values),
        joint=_table(values, "joint"),
        credits=_rows(values, "credits"),
        measures=_table(values, "measures"),
        truncation=_number(values, "truncation", 0.7),
        mixing=_number(values, "mixing", 0.5),
        inset=_whole(values, "inset"),
        content=_text(values, "content"),
    )
    card.check()
    derived = card._derived()
    for name, value in derived.items():
        if name in values and values[name] != _as_json(value):
            raise ValueError(f"its {name} contradicts the configuration of its networks")
    return card


def _as_json(value: Any) -> Any:
    """Tuples as the lists that JSON has."""
    if isinstance(value, dict):
        return {k: _as_json(v) for k, v in value.items()}
    return [_as_json(v) for v in value] if isinstance(value, list | tuple) else value


def _text(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise ValueError(f"{name} is no text of up to {LONGEST_TEXT} letters")
    return value


def _number(values: dict[str, Any], name: str, default: float | None = None) -> float:
    value = values.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{name} is no number")
    return float(value)


def _whole(values: dict[str, Any], name: str) -> int:
    value = values.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name} is no whole number")
    return value


def _rows(values: dict[str, Any], name: str) -> tuple[str, ...]:
    value = values.get(name, [])
    if not isinstance(value, list) or not all(isinstance(row, str) for row in value):
        raise ValueError(f"{name} is no list of texts")
    return tuple(value)


def _aliases(values: dict[str, Any]) -> dict[str, str]:
    found, classes = _table(values, "aliases"), _rows(values, "classes")
    if not all(isinstance(name, str) and meant in classes for name, meant in found.items()):
        raise ValueError("aliases is no table of names of its classes")
    return found


def _table(values: dict[str, Any], name: str) -> dict[str, Any]:
    value = values.get(name, {})
    if not isinstance(value, dict):
        raise ValueError(f"{name} is no table")
    return value


def _upgraded(values: dict[str, Any], shapes: Shapes) -> dict[str, Any]:
    """A card of version 1 with what that version took for granted, and sizes that its tensors tell."""
    generator = asdict(GeneratorConfig()) | _table(values, "generator")
    members, features, hidden = _shape(shapes, "sound.committee.weight0", 3)
    code_dim = _shape(shapes, "sound.committee.weight2", 3)[2]
    codes = {
        "num_ws": values.get("num_ws"), "w_dim": generator["w_dim"],
        "level_cuts": values.get("level_cuts", list(MotionConfig.level_cuts)),
    }  # fmt: skip
    return {"motion_rate": 15.0} | values | {
        "generator": generator,
        "encoder": _as_json(asdict(EncoderConfig())) | codes | {"code_dim": code_dim},
        "motion": _as_json(asdict(MotionConfig())) | codes,
        "sound": {"features": features, "code_dim": code_dim, "hidden": hidden, "members": members},
        "image": _image(shapes),
        "text": _text_tower(shapes),
        "mel": asdict(MelConfig()),
    }  # fmt: skip


def _image(shapes: Shapes) -> dict[str, int] | None:
    if "image.net.first.weight" not in shapes:
        return None
    hidden, features = _shape(shapes, "image.net.first.weight", 2)
    return {"features": features, "code_dim": _shape(shapes, "image.net.last.bias", 1)[0], "hidden": hidden}


def _text_tower(shapes: Shapes) -> dict[str, int] | None:
    if "text.vocabulary" not in shapes:
        return None
    context, width = _shape(shapes, "text.net.positional_embedding", 2)
    blocks = {name.split(".")[4] for name in shapes if name.startswith("text.net.transformer.resblocks.")}
    return {
        "vocabulary": _shape(shapes, "text.vocabulary", 1)[0],
        "code_dim": _shape(shapes, "text.net.text_projection", 2)[1],
        "width": width,
        "layers": len(blocks),
        "heads": max(1, width // 16),  # as version 1 has them
        "context": context,
    }


def _shape(shapes: Shapes, name: str, axes: int) -> tuple[int, ...]:
    if len(shapes.get(name, ())) != axes:
        raise ValueError(f"it has no tensor {name} of {axes} axes")
    return shapes[name]
