"""The parameters of a live show: those of a film, and tempo, modulators, scenes, output and engine."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from ..ipc.messages import SCENES
from ..plugins.registry import BACKENDS, names
from ..plugins.registry import MODULATORS as MODULATOR_PLUGINS
from ..units import DEFAULT_WORLD
from .clock_table import ableton_parameters, clock_parameters, timecode_parameters
from .parameters import Parameter
from .render_table import BLEND_POINTS, TABLE
from .sound_table import DRUMS, sound_parameters

OWN_MODULATORS = (
    "lfo", "steps", "level", "bass", "mid", "high", "onset", "beat", "kick", "snare", "hat", "bar", "phrase", "build",
    "drop",
)  # fmt: skip
SOURCES = ("off", *names(MODULATOR_PLUGINS, OWN_MODULATORS))
"""Choices of `/moves/<number>/source`. Those of plug-ins come last, so that the numbers of ours stay by OSC."""
PRECISIONS = ("auto", "exact", "fast")
"""Choices of `/engine/precision`."""
DEVICES = ("auto", *(name for name in names(BACKENDS, ("cpu", "cuda", "ort")) if name != "reference"))
"""Choices of `/engine/device`; the reference backend is too slow to play live."""
SHAPES = ("sine", "triangle", "saw", "square", "random")
SYNCS = ("free", "4 bars", "2 bars", "1 bar", "2 beats", "1 beat", "1/2 beat", "1/4 beat")
SCENE_COLOURS = ("none", "red", "orange", "yellow", "green", "cyan", "blue", "violet", "pink")
MODULATORS = 8
WINDOWS = 4
"""Full-screen windows of a show that have parameters of their own."""
# Defaults that make music visible at once: onsets raise the amount of fine motion, the bass that of coarse motion. Both
# scale E_a; the third shows onsets to which E_a does not respond, such as a dry click.
_FIRST_MODULATORS = {
    1: ("onset", "/motion/fine/amount", 0.5),
    2: ("bass", "/motion/coarse/amount", 0.3),
    3: ("onset", "/look/truncation", 0.25),
}
_MODULATED = tuple(
    f"/moves/{number}/{name}" for number in range(1, MODULATORS + 1) for name in ("depth", "rate", "fall")
)


def _modulator(number: int, targets: tuple[str, ...]) -> Iterator[Parameter]:
    at = f"/moves/{number}"
    source, target, depth = _FIRST_MODULATORS.get(number, ("off", "none", 0.25))
    yield Parameter(f"{at}/source", source, f"What drives modulator {number}, from 0 to 1.", choices=SOURCES)
    yield Parameter(f"{at}/target", target, "The parameter it modulates.", choices=("none", *targets))
    yield Parameter(
        f"{at}/depth", depth, "Depth, as a fraction of the parameter's range; negative inverts it.", -1.0, 1.0
    )
    yield Parameter(f"{at}/shape", "sine", "Waveform of an LFO; a cycle begins at its highest value.", choices=SHAPES)
    yield Parameter(f"{at}/rate", 0.25, "Frequency of an LFO or of the steps without sync.", 0.01, 20.0, "Hz", "log")
    yield Parameter(f"{at}/sync", "free", "Length of a cycle of an LFO or of all steps, on the beat.", choices=SYNCS)
    yield Parameter(f"{at}/steps", "1 0 0.5 0", "Values 0 to 1 of the steps, separated by spaces.")
    yield Parameter(f"{at}/fall", 0.0, "Half-life of its decay; it rises at once.", 0.0, 5.0, "s")


def _input() -> Iterator[Parameter]:
    yield Parameter(
        "/sound/input",
        "",
        "Sound input: device or loopback, with :NAME of one; silence; empty for what the show was started with.",
        live=True,
    )
    yield Parameter(
        "/sound/channels", "", "Channels of the input, from 1, such as 3,4; empty for the first two.", live=True
    )


def _scene() -> Iterator[Parameter]:
    yield Parameter("/scene/recall", 0, "Recall a stored scene.", 0, SCENES, event=True, live=True)
    yield Parameter("/scene/store", 0, "Store the current values as a scene.", 0, SCENES, event=True, live=True)
    yield Parameter("/scene/morph", 1.0, "Duration of the transition to a new scene, seed or prompt.", 0.0, 60.0, "s")
    for number in range(1, SCENES + 1):
        yield Parameter(f"/scene/{number}/name", "", f"Name of scene {number}.", naming=True, live=True)
        doc = f"Colour that marks scene {number}."
        yield Parameter(f"/scene/{number}/colour", "none", doc, choices=SCENE_COLOURS, live=True)


def _cue() -> Iterator[Parameter]:
    yield Parameter("/cue/go", False, "Play the next cue.", event=True, live=True)
    yield Parameter("/cue/back", False, "Play the cue before; the next one waits for GO.", event=True, live=True)
    yield Parameter("/cue/goto", 0, "Play the cue of this number.", 0, 9999, event=True, live=True)
    doc = "No cue comes by itself any more, until the next GO."
    yield Parameter("/cue/stop", False, doc, event=True, live=True)


def _edit() -> Iterator[Parameter]:
    yield Parameter("/edit/undo", False, "Take back the last change; 50 of them are kept.", event=True, live=True)
    yield Parameter("/edit/redo", False, "Make again what was taken back last.", event=True, live=True)


def _out() -> Iterator[Parameter]:
    yield Parameter("/out/master", 1.0, "Brightness of the output.", glide=0.05)
    yield Parameter("/out/freeze", False, "Freeze the output picture.")
    yield Parameter("/out/blackout", False, "Blackout: the output is black.")
    yield Parameter(
        "/out/panic", False, "Set motion, modulators, look and output back to their defaults.", event=True, live=True
    )
    yield Parameter("/out/flash_guard", True, "Limit flashes to three a second, for photosensitive viewers.")
    yield Parameter("/out/flip", "none", "Mirror the picture.", choices=("none", "horizontal", "vertical", "both"))
    yield Parameter(
        "/out/fit",
        "cover",
        "How pictures fill another shape: cropped (cover), between black bars (contain) or mirrored margins (mirror).",
        choices=("cover", "contain", "mirror"),
        live=True,
    )
    yield Parameter("/out/width", 0, "Output width; 0 is the world's.", 0, 4096, "px", live=True)
    yield Parameter("/out/height", 0, "Output height; 0 is the world's.", 0, 4096, "px", live=True)
    yield Parameter(
        "/out/slate",
        0.0,
        "Fade to the grey slate after this many seconds without a new frame (0 = never).",
        0.0,
        600.0,
        "s",
        live=True,
    )
    yield Parameter("/out/record", False, "Record picture and sound into a new file.", live=True)


def window_address(path: str, number: int) -> str:
    """The address of a full-screen window's parameter: `/window/x` for the first, `/window/2/x` for the second."""
    return path if number == 1 else path.replace("/window/", f"/window/{number}/", 1)


def _windows() -> Iterator[Parameter]:
    for number in range(1, WINDOWS + 1):
        for param in _window():
            yield replace(param, path=window_address(param.path, number))


def _window() -> Iterator[Parameter]:
    yield Parameter(
        "/window/display",
        "",
        "Display of the full-screen window: its name, serial number or number from 0; empty for the one it was opened "
        "on. It is hidden while that display is away.",
        live=True,
    )
    yield Parameter("/window/full_screen", True, "Fill the display.", live=True)
    for axis, edge in (("x", "left"), ("y", "top")):
        doc = f"Place of a window of exact size, from the {edge} of its display."
        yield Parameter(f"/window/{axis}", 0, doc, 0, 16384, "px", live=True)
    for side in ("width", "height"):
        doc = (
            f"Exact {side} of the window while it does not fill the display, without a frame; 0 is an ordinary window."
        )
        yield Parameter(f"/window/{side}", 0, doc, 0, 16384, "px", live=True)
    yield Parameter("/window/delay", 0.0, "Hold the window's pictures back.", 0.0, 1000.0, "ms", live=True)
    yield Parameter(
        "/window/flip", "none", "Mirror the window's pictures, such as for projection from behind.",
        choices=("none", "horizontal", "vertical", "both"), live=True,
    )  # fmt: skip
    for corner in ("top_left", "top_right", "bottom_right", "bottom_left"):
        for axis, way, size in (("x", "to the right", "width"), ("y", "down", "height")):
            doc = f"Keystone: shift of the picture's {corner.replace('_', ' ')} corner {way}, in parts of the {size}."
            yield Parameter(f"/window/{corner}_{axis}", 0.0, doc, -0.5, 0.5, live=True)


def _picture() -> Iterator[Parameter]:
    yield Parameter("/picture/hue", 0.0, "Turn all colours around the colour circle.", -180.0, 180.0, "deg")
    yield Parameter("/picture/saturation", 1.0, "Saturation; 0 is grey.", 0.0, 3.0)
    yield Parameter("/picture/contrast", 1.0, "Contrast around middle grey.", 0.0, 3.0)
    yield Parameter("/picture/kaleidoscope", 0, "Mirror a sector of the picture into so many; 0 is off.", 0, 16)
    yield Parameter("/picture/trail", 0.0, "Half-life of the feedback trail; 0 is none.", 0.0, 5.0, "s")
    yield Parameter(
        "/picture/trail_zoom", 1.0, "Factor by which the trail grows (above 1) or shrinks in a second.",
        0.25, 4.0, "", "log",
    )  # fmt: skip
    yield Parameter("/picture/strobe", 0.0, "Depth of the strobe, which the flash guard limits.")
    yield Parameter("/picture/strobe_rate", 2.0, "Flashes a second of the strobe.", 0.1, 15.0, "Hz", "log")


def _blend() -> Iterator[Parameter]:
    for number in range(1, BLEND_POINTS + 1):
        at, what = f"/blend/{number}", f"point {number} of the blend surface"
        doc = f"Put the seed, prompt or code that is played now at {what}."
        yield Parameter(f"{at}/take", False, doc, event=True)
        doc = f"Put the seed whose picture fits the sound of now at {what}."
        yield Parameter(f"{at}/hear", False, doc, event=True)
        doc = f"Put the seed, prompt or code of a stored scene at {what}."
        yield Parameter(f"{at}/scene", 0, doc, 0, 8, event=True)
        doc = f"Name of a file in the user's sound folder: point {number} gets the seed whose picture fits it best."
        yield Parameter(f"{at}/sound", "", doc, live=True)


def _auto() -> Iterator[Parameter]:
    yield Parameter("/auto/on", False, "Change the picture by itself: after some bars, and at drops.", live=True)
    yield Parameter("/auto/next", False, "Go on to another scene or seed now.", event=True, live=True)
    yield Parameter(
        "/auto/change", "scenes", "What changes: stored scenes (seeds with fewer than two), or seeds.",
        choices=("scenes", "seeds"), live=True,
    )  # fmt: skip
    yield Parameter(
        "/auto/bars", 16, "Bars after which the picture changes; without a beat, 2 s each.", 1, 128, live=True
    )
    yield Parameter("/auto/drops", True, "Change the picture at drops, too.", live=True)
    yield Parameter("/auto/drift", 0.3, "Drift while there is silence, added to /look/drift.", live=True)


def _midi() -> Iterator[Parameter]:
    yield Parameter(
        "/midi/learn", "", "Address of the parameter to which the MIDI control that is moved next is mapped; a value "
        "after it is what a button sets.", live=True,
    )  # fmt: skip
    yield Parameter(
        "/midi/forget",
        False,
        "Remove the MIDI mappings of the parameter that /midi/learn names.",
        event=True,
        live=True,
    )
    yield Parameter(
        "/midi/takeover", "pick-up", "What a knob does that stands elsewhere than its parameter: set it (none), "
        "wait until it passes its value (pick-up), or move it in proportion (scale).",
        choices=("none", "pick-up", "scale"), live=True,
    )  # fmt: skip
    yield Parameter(
        "/midi/feedback", True, "Send values back to the controllers, for their lights and motors.", live=True
    )
    yield Parameter("/midi/clock_out", False, "Send the beat as a MIDI clock, with start and stop.", live=True)


def _engine() -> Iterator[Parameter]:
    yield Parameter(
        "/engine/fps",
        30.0,
        "Frames a second; 23.976, 29.97 and 59.94 mean the exact broadcast rates.",
        23.976,
        120.0,
        "fps",
        live=True,
    )
    yield Parameter("/engine/world", DEFAULT_WORLD, "The world that is played.", load=True, live=True)
    yield Parameter(
        "/engine/device",
        "auto",
        "Where the networks run.",
        choices=DEVICES,
        load=True,
        live=True,
    )
    yield Parameter(
        "/engine/precision",
        "auto",
        "How exactly pictures are painted: as films are (exact), in bfloat16 or float16 (fast), or fast once exact "
        "misses the frame rate (auto).",
        choices=PRECISIONS,
        live=True,
    )


def _all() -> Iterator[Parameter]:
    yield from TABLE.values()
    yield from sound_parameters()
    prompt = "The seed found for the text; -1 is none."
    yield Parameter("/look/prompt", -1, prompt, -1, 2**31 - 1, live=True)
    yield Parameter(
        "/look/photo", "", "Name of a photo in the user's photo folder: its code is sought and then played.", live=True
    )
    continuous = [path for path, param in TABLE.items() if param.kind == "float"]
    newer = [*(path for path in continuous if path.startswith("/meaning/")), "/look/travel", "/look/code_weight"]
    newest = [path for path in continuous if path.startswith(("/blend/", "/axis/"))]
    newest += ["/look/shift_x", "/look/shift_y", "/look/turn", "/look/place", "/look/sway"]
    older = (path for path in continuous if path not in newer and path not in newest)
    # The newer ones come last, so that the numbers of the others stay by OSC.
    targets = [*older, "/sound/onset", "/out/master", "/out/slate", "/scene/morph", *_MODULATED, *newer]
    for param in (*sound_parameters(), *_scene(), *_out(), *_auto(), *_picture()):
        if param.kind == "float" and param.path not in targets:
            targets.append(param.path)
    targets += newest
    for number in range(1, MODULATORS + 1):
        yield from _modulator(number, (*targets,))
    yield from _input()
    yield from _scene()
    yield from _cue()
    yield from _auto()
    yield from _picture()
    yield from _blend()
    yield from _edit()
    yield from _out()
    yield from _windows()
    yield from clock_parameters()
    yield from timecode_parameters()
    yield from _midi()
    yield from ableton_parameters()
    yield from _engine()


SHOW: Mapping[str, Parameter] = MappingProxyType({param.path: param for param in _all()})
"""Those of a show."""
_OF_FILM = ("/moves/", "/picture/", "/sound/onset", "/sound/tempo/", *(f"/sound/{name}/" for name in DRUMS))
FILM: Mapping[str, Parameter] = MappingProxyType(
    {path: one for path, one in SHOW.items() if path in TABLE or (path.startswith(_OF_FILM) and not one.event)}
)
"""Those of a film: of the render table, its modulators, effects, and how its sound is analysed."""
