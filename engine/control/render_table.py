"""The parameters of a film, by group: motion, look, meaning and sound. Each has an effect on a rendered film."""

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from ..units import AXES, LEVELS
from .parameters import Parameter

MEANING_SLOTS = 16
"""Slots of the meaning mixer: one for each of a world's first classes."""
BLEND_POINTS = 8
"""Points of the blend surface."""
# What each level of the style codes determines, for the descriptions of its parameters.
_PAINTS = {
    "coarse": "the layout (4 and 8 px)",
    "mid": "the shapes (16 and 32 px)",
    "fine": "the texture and colour (64 px and up)",
}
# Per level: half-life of the memory (s), bound of the learned motion, half-life of the anchor (s).
_MOTION = {"coarse": (2.5, 0.6, 0.5), "mid": (1.0, 0.5, 0.25), "fine": (0.17, 0.4, 0.08)}


def _sound() -> Iterator[Parameter]:
    yield Parameter("/sound/gain", 0.0, "Gain of the sound before it is analysed.", -24.0, 24.0, "dB", glide=0.05)
    yield Parameter(
        "/sound/follow", 1.0, "Factor on the follow time of every level; above 1 is slower.",
        0.1, 10.0, "", "log", 0.1,
    )  # fmt: skip


def _motion(level: str) -> Iterator[Parameter]:
    inertia, kappa, follow = _MOTION[level]
    at, paints = f"/motion/{level}", _PAINTS[level]
    yield Parameter(f"{at}/amount", 1.0, f"How strongly sound changes {paints}.", 0.0, 2.0, glide=0.1)
    yield Parameter(
        f"{at}/inertia", inertia, "Half-life of the learned motion's memory: longer is slower and smoother.",
        0.01, 10.0, "s", "log", 0.1,
    )  # fmt: skip
    yield Parameter(
        f"{at}/kappa", kappa, "Limit of the learned motion, in standard deviations of the style codes.",
        0.0, 2.0, "sigma", glide=0.1,
    )  # fmt: skip
    yield Parameter(
        f"{at}/follow", follow, "Half-life with which the picture follows the sound.",
        0.01, 5.0, "s", "log", 0.1,
    )  # fmt: skip
    yield Parameter(f"{at}/mute", False, f"Mute: sound does not change {paints}.")
    yield Parameter(f"{at}/solo", False, f"Solo: sound changes only {paints} and other soloed levels.")
    yield Parameter(f"{at}/hold", False, f"Freeze {paints}.")


def _look() -> Iterator[Parameter]:
    yield Parameter(
        "/look/truncation", 0.7, "Truncation: distance from the average picture; low is calm, high is wild.",
        0.0, 1.2, glide=0.2,
    )  # fmt: skip
    yield Parameter("/look/seed", 1, "Seed of the picture without sound.", 0, 2**31 - 1)
    yield Parameter(
        "/look/text", "", "A text prompt: starts from the seed whose picture fits it best; empty: from the seed."
    )
    yield Parameter("/look/text_weight", 1.0, "Blend from the seed (0) to the prompt (1).", glide=0.2)
    yield Parameter(
        "/look/code", "", "Name of a code, such as a photo's: starts from it instead of the seed; empty: from the seed."
    )  # fmt: skip
    yield Parameter("/look/code_weight", 1.0, "Blend from the seed or prompt (0) to the code (1).", glide=0.2)
    yield Parameter("/look/drift", 0.0, "Speed of a slow drift from the seed through other seeds; 0 stays.", glide=0.2)
    yield Parameter(
        "/look/travel", 0.5, "How often the picture goes on to another seed by itself: at the end of a musical phrase, "
        "and when the sound changes strongly; 0 stays.", absent=0.0,
    )  # fmt: skip
    yield Parameter(
        "/look/sway", 0.4, "How far the picture moves about its place while there is sound, along the first axes; "
        "faster where the sound is loud and at hits; 0 stays.", absent=0.0, glide=0.2,
    )  # fmt: skip
    yield Parameter(
        "/look/place", 1.0, "How far a class that is heard takes the picture to a place of its own, such as a storm "
        "sky, in worlds that have some; 0: it adds its weather to the picture there is. A chosen code stays.",
        glide=0.2,
    )  # fmt: skip
    where = "in worlds with a StyleGAN3 generator; others stay where they are"
    yield Parameter(
        "/look/shift_x", 0.0, f"Moves the whole picture to the right, in parts of its width, {where}.",
        -1.0, 1.0, glide=0.1,
    )  # fmt: skip
    yield Parameter(
        "/look/shift_y", 0.0, f"Moves the whole picture down, in parts of its height, {where}.", -1.0, 1.0, glide=0.1
    )
    yield Parameter(
        "/look/turn", 0.0, f"Turns the whole picture about its middle, clockwise, {where}.",
        -180.0, 180.0, "deg", glide=0.1,
    )  # fmt: skip
    yield Parameter("/look/seed_b", 2, "The second seed, for the mixes below.", 0, 2**31 - 1)
    for level in LEVELS:
        yield Parameter(
            f"/look/{level}/mix", 0.0, f"How much of {_PAINTS[level]} comes from the second seed.", glide=0.2
        )
        yield Parameter(
            f"/look/{level}/seed", -1, f"A second seed for {_PAINTS[level]} alone; -1: the common one.", -1, 2**31 - 1
        )
        yield Parameter(f"/look/{level}/code", "", f"A code in place of the second seed for {_PAINTS[level]}.")


def _meaning(slot: int) -> Iterator[Parameter]:
    at, what = f"/meaning/{slot}", f"class {slot} of the world"
    yield Parameter(
        f"{at}/amount", 1.0, f"How strongly {what} moves the picture when it is heard.", 0.0, 2.0, glide=0.1
    )
    yield Parameter(f"{at}/floor", 0.0, f"How far {what} shows even when it is not heard.", glide=0.2)
    yield Parameter(f"{at}/mute", False, f"Mute: {what} does not move the picture.")
    yield Parameter(f"{at}/solo", False, f"Solo: only {what} and other soloed classes move the picture.")


def _blend() -> Iterator[Parameter]:
    yield Parameter(
        "/blend/amount", 0.0, "How far the picture is that of the blend surface: its points, mixed by nearness.",
        glide=0.2,
    )  # fmt: skip
    yield Parameter("/blend/x", 0.5, "Place of the cursor on the blend surface, from the left.", glide=0.1)
    yield Parameter("/blend/y", 0.5, "Place of the cursor on the blend surface, from the top.", glide=0.1)
    yield Parameter(
        "/blend/focus", 3.0, "How far the nearest point outweighs the others; high is nearly that point alone.",
        1.0, 8.0, "", "log", 0.1,
    )  # fmt: skip
    for number in range(1, BLEND_POINTS + 1):
        yield from _blend_point(number)


def _blend_point(number: int) -> Iterator[Parameter]:
    at, what = f"/blend/{number}", f"point {number}"
    turn = 2 * math.pi * (number - 1) / BLEND_POINTS
    for axis, place, edge in (("x", math.sin(turn), "left"), ("y", -math.cos(turn), "top")):
        yield Parameter(f"{at}/{axis}", round(0.5 + 0.4 * place, 3), f"Place of {what}, from the {edge}.")
    yield Parameter(f"{at}/seed", -1, f"The seed at {what}; -1: none.", -1, 2**31 - 1)
    yield Parameter(f"{at}/text", "", f"A text prompt: {what} gets the seed whose picture fits it best.")
    yield Parameter(f"{at}/code", "", f"Name of a code at {what}, in place of a seed.")


def _axes() -> Iterator[Parameter]:
    for number in range(1, AXES + 1):
        what = f"principal axis {number} of the world's seeds, in standard deviations"
        yield Parameter(f"/axis/{number}", 0.0, f"Moves the picture along {what}.", -2.0, 2.0, "sigma", glide=0.2)


def _all() -> Iterator[Parameter]:
    yield from _sound()
    mode = "Motion around the anchor (anchored), or the paper's eq. 4 as printed (literal), which soon drifts away."
    yield Parameter("/motion/mode", "anchored", mode, choices=("anchored", "literal"))
    for level in LEVELS:
        yield from _motion(level)
    yield from _look()
    for slot in range(1, MEANING_SLOTS + 1):
        yield from _meaning(slot)
    yield from _blend()
    yield from _axes()


TABLE: Mapping[str, Parameter] = MappingProxyType({param.path: param for param in _all()})
