"""The instrument: every control of a film, by group. Nothing here is without effect on a rendered film."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from ..units import LEVELS
from .parameters import Parameter

# What each level of the style code paints, for the documentation of its controls.
_PAINTS = {
    "coarse": "the layout (4 and 8 px)",
    "mid": "the shapes (16 and 32 px)",
    "fine": "the texture and colour (64 px and up)",
}
# Per level: half-life of the memory (s), bound of the learned motion, half-life of the anchor (s).
_MOTION = {"coarse": (2.5, 0.6, 0.5), "mid": (1.0, 0.5, 0.25), "fine": (0.17, 0.4, 0.08)}


def _sound() -> Iterator[Parameter]:
    yield Parameter("/sound/gain", 0.0, "How loud the sound is heard.", -24.0, 24.0, "dB", glide=0.05)
    yield Parameter(
        "/sound/follow", 1.0, "How lazily every level follows what is heard: a factor on its follow time.",
        0.1, 10.0, "", "log", 0.1,
    )  # fmt: skip


def _motion(level: str) -> Iterator[Parameter]:
    inertia, kappa, follow = _MOTION[level]
    at, paints = f"/motion/{level}", _PAINTS[level]
    yield Parameter(f"{at}/amount", 1.0, f"How far sound moves {paints}.", 0.0, 2.0, glide=0.1)
    yield Parameter(
        f"{at}/inertia", inertia, "Half-life of the learned motion's memory: long is slow and smooth.",
        0.01, 10.0, "s", "log", 0.1,
    )  # fmt: skip
    yield Parameter(
        f"{at}/kappa", kappa, "Bound of the learned motion, in deviations of the style code.",
        0.0, 2.0, "sigma", glide=0.1,
    )  # fmt: skip
    yield Parameter(
        f"{at}/follow", follow, "Half-life with which the picture follows what is heard now.",
        0.01, 5.0, "s", "log", 0.1,
    )  # fmt: skip
    yield Parameter(f"{at}/mute", False, f"Sound leaves {paints} alone.")
    yield Parameter(f"{at}/solo", False, f"Sound moves only {paints} and other soloed levels.")
    yield Parameter(f"{at}/hold", False, f"Freeze {paints}.")


def _look() -> Iterator[Parameter]:
    yield Parameter(
        "/look/truncation", 0.7, "Distance from the average picture: low is calm and safe, high is wild.",
        0.0, 1.2, glide=0.2,
    )  # fmt: skip
    yield Parameter("/look/seed", 1, "Which place the film starts from.", 0, 2**31 - 1)
    yield Parameter("/look/text", "", "A prompt: start from the place that fits it best; empty starts from the seed.")
    yield Parameter("/look/text_weight", 1.0, "How far the prompt draws the place away from the seed.", glide=0.2)
    yield Parameter("/look/drift", 0.0, "Slow walk from the seed's place towards others; 0 stays.", glide=0.2)
    yield Parameter("/look/seed_b", 2, "The second place, for the mixes below.", 0, 2**31 - 1)
    for level in LEVELS:
        yield Parameter(f"/look/{level}/mix", 0.0, f"How far {_PAINTS[level]} comes from the second place.", glide=0.2)


def _all() -> Iterator[Parameter]:
    yield from _sound()
    mode = "Motion around what is heard (anchored), or the paper's eq. 4 (literal), which leaves the world in a second."
    yield Parameter("/motion/mode", "anchored", mode, choices=("anchored", "literal"))
    for level in LEVELS:
        yield from _motion(level)
    yield from _look()


TABLE: Mapping[str, Parameter] = MappingProxyType({param.path: param for param in _all()})
