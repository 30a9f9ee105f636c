"""The instrument: every control there is, by group. Those marked `live` act in a show only, all others in films too."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from .params import Param

LEVELS = ("coarse", "mid", "fine")

# What each level of the style code paints, for the documentation of its controls.
_PAINTS = {
    "coarse": "the layout (4 and 8 px)",
    "mid": "the shapes (16 and 32 px)",
    "fine": "the texture and colour (64 px and up)",
}
# Per level: half-life of the memory (s), bound of the learned motion, half-life of the anchor (s).
_MOTION = {"coarse": (2.5, 0.6, 0.5), "mid": (1.0, 0.5, 0.25), "fine": (0.17, 0.4, 0.08)}


def _sound() -> Iterator[Param]:
    yield Param("/sound/gain", 0.0, "How loud the sound is heard.", -24.0, 24.0, "dB", glide=0.05)
    yield Param("/sound/auto_gain", False, "Bring soft and loud sources to the same loudness, slowly.")
    yield Param(
        "/sound/follow", 1.0, "How lazily every level follows what is heard: a factor on its follow time.",
        0.1, 10.0, "", "log", 0.1,
    )  # fmt: skip
    yield Param("/sound/onset", 0.5, "How readily a note or hit counts as an onset.")
    yield Param("/sound/tempo", "heard", "Where the beat comes from.", choices=("heard", "tapped"))
    yield Param("/sound/tap", False, "Tap the tempo: two taps or more; also switches the tempo to tapped.", event=True)
    yield Param("/sound/resync", False, "The beat is now.", event=True)


def _motion(level: str) -> Iterator[Param]:
    inertia, kappa, follow = _MOTION[level]
    at, paints = f"/motion/{level}", _PAINTS[level]
    yield Param(f"{at}/amount", 1.0, f"How far sound moves {paints}.", 0.0, 2.0, glide=0.1)
    yield Param(
        f"{at}/inertia", inertia, "Half-life of the learned motion's memory: long is slow and smooth.",
        0.01, 10.0, "s", "log", 0.1,
    )  # fmt: skip
    yield Param(
        f"{at}/kappa", kappa, "Bound of the learned motion, in deviations of the style code.",
        0.0, 2.0, "sigma", glide=0.1,
    )  # fmt: skip
    yield Param(
        f"{at}/follow", follow, "Half-life with which the picture follows what is heard now.",
        0.01, 5.0, "s", "log", 0.1,
    )  # fmt: skip
    yield Param(f"{at}/mute", False, f"Sound leaves {paints} alone.")
    yield Param(f"{at}/solo", False, f"Sound moves only {paints} and other soloed levels.")
    yield Param(f"{at}/hold", False, f"Freeze {paints}.")


def _look() -> Iterator[Param]:
    yield Param(
        "/look/truncation", 0.7, "Distance from the average picture: low is calm and safe, high is wild.",
        0.0, 1.2, glide=0.2,
    )  # fmt: skip
    yield Param("/look/seed", 1, "Which place the film starts from.", 0, 2**31 - 1)
    yield Param("/look/text", "", "A prompt: start from the place that fits it best; empty starts from the seed.")
    yield Param("/look/text_weight", 1.0, "How far the prompt draws the place away from the seed.", glide=0.2)
    yield Param(
        "/look/prompt", -1, "The place found for the text, a number like a seed; -1 is none.", -1, 2**31 - 1, live=True
    )
    yield Param("/look/drift", 0.0, "Slow walk from the seed's place towards others; 0 stays.", glide=0.2)
    yield Param("/look/seed_b", 2, "The second place, for the mixes below.", 0, 2**31 - 1)
    for level in LEVELS:
        yield Param(f"/look/{level}/mix", 0.0, f"How far {_PAINTS[level]} comes from the second place.", glide=0.2)


SOURCES = ("off", "lfo", "steps", "level", "bass", "mid", "high", "onset", "beat")
SHAPES = ("sine", "triangle", "saw", "square", "random")
SYNCS = ("free", "4 bars", "2 bars", "1 bar", "2 beats", "1 beat", "1/2 beat", "1/4 beat")
MOVES = 8
# Out of the box music moves the picture: hits stir the texture, the bass the layout.
_FIRST_MOVES = {1: ("onset", "/motion/fine/amount", 0.5), 2: ("bass", "/motion/coarse/amount", 0.3)}


def _moves(number: int, targets: tuple[str, ...]) -> Iterator[Param]:
    at = f"/moves/{number}"
    source, target, depth = _FIRST_MOVES.get(number, ("off", "none", 0.25))
    yield Param(f"{at}/source", source, f"What drives move {number}.", choices=SOURCES)
    yield Param(f"{at}/target", target, "The control it moves.", choices=("none", *targets))
    yield Param(f"{at}/depth", depth, "How far, as a part of the control's range; below 0 the other way.", -1.0, 1.0)
    yield Param(f"{at}/shape", "sine", "Wave of an LFO.", choices=SHAPES)
    yield Param(f"{at}/rate", 0.25, "Speed of an LFO or of steps when it runs free.", 0.01, 20.0, "Hz", "log")
    yield Param(f"{at}/sync", "free", "One turn of an LFO, or of all steps, on the beat.", choices=SYNCS)
    yield Param(f"{at}/steps", "1 0 0.5 0", "Heights 0 to 1 of the steps, with spaces between.")
    yield Param(f"{at}/fall", 0.0, "Half-life with which it falls back; it rises at once.", 0.0, 5.0, "s")


def _scene() -> Iterator[Param]:
    yield Param("/scene/recall", 0, "Go to a stored scene.", 0, 8, event=True, live=True)
    yield Param("/scene/store", 0, "Store everything as it stands as a scene.", 0, 8, event=True, live=True)
    yield Param("/scene/morph", 1.0, "How long a new scene, seed or prompt takes to arrive.", 0.0, 60.0, "s")


def _out() -> Iterator[Param]:
    yield Param("/out/master", 1.0, "Brightness of everything that leaves.", glide=0.05)
    yield Param("/out/freeze", False, "Keep the picture as it is.")
    yield Param("/out/blackout", False, "Black.")
    yield Param(
        "/out/panic", False, "All of motion, moves, look and output back to their defaults.", event=True, live=True
    )
    yield Param("/out/flash_guard", True, "At most three flashes a second, for photosensitive eyes.")
    yield Param("/out/flip", "none", "Mirror the picture.", choices=("none", "horizontal", "vertical", "both"))
    yield Param("/out/width", 0, "Width that leaves, in pixels; 0 is the world's.", 0, 4096, "px", live=True)
    yield Param("/out/height", 0, "Height that leaves, in pixels; 0 is the world's.", 0, 4096, "px", live=True)
    yield Param(
        "/out/slate", 0.0, "Fade to grey when nothing new came for so long; 0 never.", 0.0, 600.0, "s", live=True
    )
    yield Param("/out/record", False, "Record picture and sound into a new file.", live=True)


def _engine() -> Iterator[Param]:
    yield Param("/engine/fps", 30.0, "Frames a second.", 24.0, 120.0, "fps", live=True)
    yield Param("/engine/world", "shore", "The world that plays.", load=True, live=True)
    yield Param(
        "/engine/device",
        "auto",
        "Where the networks run.",
        choices=("auto", "cpu", "cuda", "ort"),
        load=True,
        live=True,
    )


def _playing() -> Iterator[Param]:
    yield from _sound()
    yield Param(
        "/motion/mode", "anchored", "Motion around what is heard (anchored), or the paper's eq. 4 (literal).",
        choices=("anchored", "literal"),
    )  # fmt: skip
    for level in LEVELS:
        yield from _motion(level)
    yield from _look()


def _all() -> Iterator[Param]:
    rest = (*_scene(), *_out(), *_engine())
    targets = tuple(p.path for p in (*_playing(), *rest) if p.kind == "float" and not p.path.startswith("/engine"))
    yield from _playing()
    for number in range(1, MOVES + 1):
        yield from _moves(number, targets)
    yield from rest


TABLE: Mapping[str, Param] = MappingProxyType({param.path: param for param in _all()})
