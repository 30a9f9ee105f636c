"""What a live show adds to the table: tempo, moves (modulators), scenes, output, engine. Films do not take these."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from ..plugins.registry import BACKENDS, names
from ..plugins.registry import MODULATORS as MODULATOR_PLUGINS
from .parameters import Parameter
from .render_table import TABLE

OWN_MODULATORS = ("lfo", "steps", "level", "bass", "mid", "high", "onset", "beat")
SOURCES = ("off", *names(MODULATOR_PLUGINS, OWN_MODULATORS))
"""What `/moves/<number>/source` takes; modulators of other packages follow ours, so that OSC's numbers stay."""
DEVICES = ("auto", *(name for name in names(BACKENDS, ("cpu", "cuda", "ort")) if name != "reference"))
"""What `/engine/device` takes. The reference is too slow to play live."""
SHAPES = ("sine", "triangle", "saw", "square", "random")
SYNCS = ("free", "4 bars", "2 bars", "1 bar", "2 beats", "1 beat", "1/2 beat", "1/4 beat")
MODULATORS = 8
# Out of the box music moves the picture: hits stir the texture, the bass the layout. Both stir what the world hears in
# the sound; the third makes a hit seen in which it hears nothing, such as a dry click.
_FIRST_MOVES = {
    1: ("onset", "/motion/fine/amount", 0.5),
    2: ("bass", "/motion/coarse/amount", 0.3),
    3: ("onset", "/look/truncation", 0.25),
}
_MOVABLE = tuple(f"/moves/{number}/{name}" for number in range(1, MODULATORS + 1) for name in ("depth", "rate", "fall"))


def _moves(number: int, targets: tuple[str, ...]) -> Iterator[Parameter]:
    at = f"/moves/{number}"
    source, target, depth = _FIRST_MOVES.get(number, ("off", "none", 0.25))
    yield Parameter(f"{at}/source", source, f"What drives move {number}, from 0 to 1.", choices=SOURCES)
    yield Parameter(f"{at}/target", target, "The control it moves.", choices=("none", *targets))
    yield Parameter(
        f"{at}/depth", depth, "How far, as a part of the control's range; below 0 the other way.", -1.0, 1.0
    )
    yield Parameter(f"{at}/shape", "sine", "Wave of an LFO; it is highest where a turn begins.", choices=SHAPES)
    yield Parameter(f"{at}/rate", 0.25, "Speed of an LFO or of steps when it runs free.", 0.01, 20.0, "Hz", "log")
    yield Parameter(f"{at}/sync", "free", "One turn of an LFO, or of all steps, on the beat.", choices=SYNCS)
    yield Parameter(f"{at}/steps", "1 0 0.5 0", "Heights 0 to 1 of the steps, with spaces between.")
    yield Parameter(f"{at}/fall", 0.0, "Half-life with which it falls back; it rises at once.", 0.0, 5.0, "s")


def _scene() -> Iterator[Parameter]:
    yield Parameter("/scene/recall", 0, "Go to a stored scene.", 0, 8, event=True, live=True)
    yield Parameter("/scene/store", 0, "Store everything as it stands as a scene.", 0, 8, event=True, live=True)
    yield Parameter("/scene/morph", 1.0, "How long a new scene, seed or prompt takes to arrive.", 0.0, 60.0, "s")


def _out() -> Iterator[Parameter]:
    yield Parameter("/out/master", 1.0, "Brightness of everything that leaves.", glide=0.05)
    yield Parameter("/out/freeze", False, "Keep the picture as it is.")
    yield Parameter("/out/blackout", False, "Black.")
    yield Parameter(
        "/out/panic", False, "All of motion, moves, look and output back to their defaults.", event=True, live=True
    )
    yield Parameter("/out/flash_guard", True, "At most three flashes a second, for photosensitive eyes.")
    yield Parameter("/out/flip", "none", "Mirror the picture.", choices=("none", "horizontal", "vertical", "both"))
    yield Parameter("/out/width", 0, "Width that leaves, in pixels; 0 is the world's.", 0, 4096, "px", live=True)
    yield Parameter("/out/height", 0, "Height that leaves, in pixels; 0 is the world's.", 0, 4096, "px", live=True)
    yield Parameter(
        "/out/slate", 0.0, "Fade to grey when nothing new came for so long; 0 never.", 0.0, 600.0, "s", live=True
    )
    yield Parameter("/out/record", False, "Record picture and sound into a new file.", live=True)


def _engine() -> Iterator[Parameter]:
    yield Parameter(
        "/engine/fps",
        30.0,
        "Frames a second; 29.97 and the like mean the broadcast rates.",
        23.976,
        120.0,
        "fps",
        live=True,
    )
    yield Parameter("/engine/world", "shore", "The world that plays.", load=True, live=True)
    yield Parameter(
        "/engine/device",
        "auto",
        "Where the networks run.",
        choices=DEVICES,
        load=True,
        live=True,
    )


def _sound() -> Iterator[Parameter]:
    yield Parameter("/sound/auto_gain", False, "Bring soft and loud sources to the same loudness, slowly.", live=True)
    yield Parameter("/sound/onset", 0.5, "How readily a note or hit counts as an onset.")
    yield Parameter("/sound/tempo", "heard", "Where the beat comes from.", choices=("heard", "tapped"))
    yield Parameter(
        "/sound/tap", False, "Tap the tempo: two taps or more; also switches the tempo to tapped.", event=True
    )
    yield Parameter("/sound/resync", False, "The beat is now.", event=True)


def _all() -> Iterator[Parameter]:
    yield from TABLE.values()
    yield from _sound()
    prompt = "The place found for the text, a number like a seed; -1 is none."
    yield Parameter("/look/prompt", -1, prompt, -1, 2**31 - 1, live=True)
    continuous = (path for path, param in TABLE.items() if param.kind == "float")
    targets = (*continuous, "/sound/onset", "/out/master", "/out/slate", "/scene/morph", *_MOVABLE)
    for number in range(1, MODULATORS + 1):
        yield from _moves(number, targets)
    yield from _scene()
    yield from _out()
    yield from _engine()


SHOW: Mapping[str, Parameter] = MappingProxyType({param.path: param for param in _all()})
