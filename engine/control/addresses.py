"""Addresses of all parameters, for code that names one.

Generated from render_table.py and live_table.py by `python -m sonorama.engine.cli.address_module`; do not edit.
"""

from typing import Literal

SOUND_GAIN = "/sound/gain"
SOUND_FOLLOW = "/sound/follow"
MOTION_MODE = "/motion/mode"
LOOK_TRUNCATION = "/look/truncation"
LOOK_SEED = "/look/seed"
LOOK_TEXT = "/look/text"
LOOK_TEXT_WEIGHT = "/look/text_weight"
LOOK_CODE = "/look/code"
LOOK_CODE_WEIGHT = "/look/code_weight"
LOOK_DRIFT = "/look/drift"
LOOK_TRAVEL = "/look/travel"
LOOK_SWAY = "/look/sway"
LOOK_PLACE = "/look/place"
LOOK_SHIFT_X = "/look/shift_x"
LOOK_SHIFT_Y = "/look/shift_y"
LOOK_TURN = "/look/turn"
LOOK_SEED_B = "/look/seed_b"
BLEND_AMOUNT = "/blend/amount"
BLEND_X = "/blend/x"
BLEND_Y = "/blend/y"
BLEND_FOCUS = "/blend/focus"
SOUND_AUTO_GAIN = "/sound/auto_gain"
SOUND_ONSET = "/sound/onset"
SOUND_TEMPO = "/sound/tempo"
SOUND_TAP = "/sound/tap"
SOUND_RESYNC = "/sound/resync"
SOUND_TEMPO_X2 = "/sound/tempo/x2"
SOUND_TEMPO_HALF = "/sound/tempo/half"
SOUND_TEMPO_PRIOR = "/sound/tempo/prior"
SOUND_TEMPO_GATE = "/sound/tempo/gate"
LOOK_PROMPT = "/look/prompt"
LOOK_PHOTO = "/look/photo"
SOUND_INPUT = "/sound/input"
SOUND_CHANNELS = "/sound/channels"
SCENE_RECALL = "/scene/recall"
SCENE_STORE = "/scene/store"
SCENE_MORPH = "/scene/morph"
CUE_GO = "/cue/go"
CUE_BACK = "/cue/back"
CUE_GOTO = "/cue/goto"
CUE_STOP = "/cue/stop"
AUTO_ON = "/auto/on"
AUTO_NEXT = "/auto/next"
AUTO_CHANGE = "/auto/change"
AUTO_BARS = "/auto/bars"
AUTO_DROPS = "/auto/drops"
AUTO_DRIFT = "/auto/drift"
PICTURE_HUE = "/picture/hue"
PICTURE_SATURATION = "/picture/saturation"
PICTURE_CONTRAST = "/picture/contrast"
PICTURE_KALEIDOSCOPE = "/picture/kaleidoscope"
PICTURE_TRAIL = "/picture/trail"
PICTURE_TRAIL_ZOOM = "/picture/trail_zoom"
PICTURE_STROBE = "/picture/strobe"
PICTURE_STROBE_RATE = "/picture/strobe_rate"
EDIT_UNDO = "/edit/undo"
EDIT_REDO = "/edit/redo"
OUT_MASTER = "/out/master"
OUT_FREEZE = "/out/freeze"
OUT_BLACKOUT = "/out/blackout"
OUT_PANIC = "/out/panic"
OUT_FLASH_GUARD = "/out/flash_guard"
OUT_FLIP = "/out/flip"
OUT_FIT = "/out/fit"
OUT_WIDTH = "/out/width"
OUT_HEIGHT = "/out/height"
OUT_SLATE = "/out/slate"
OUT_RECORD = "/out/record"
WINDOW_DISPLAY = "/window/display"
WINDOW_FULL_SCREEN = "/window/full_screen"
WINDOW_X = "/window/x"
WINDOW_Y = "/window/y"
WINDOW_WIDTH = "/window/width"
WINDOW_HEIGHT = "/window/height"
WINDOW_DELAY = "/window/delay"
WINDOW_FLIP = "/window/flip"
WINDOW_TOP_LEFT_X = "/window/top_left_x"
WINDOW_TOP_LEFT_Y = "/window/top_left_y"
WINDOW_TOP_RIGHT_X = "/window/top_right_x"
WINDOW_TOP_RIGHT_Y = "/window/top_right_y"
WINDOW_BOTTOM_RIGHT_X = "/window/bottom_right_x"
WINDOW_BOTTOM_RIGHT_Y = "/window/bottom_right_y"
WINDOW_BOTTOM_LEFT_X = "/window/bottom_left_x"
WINDOW_BOTTOM_LEFT_Y = "/window/bottom_left_y"
CLOCK_BPM = "/clock/bpm"
CLOCK_ORIGIN = "/clock/origin"
TIMECODE_SOURCE = "/timecode/source"
TIMECODE_OFFSET = "/timecode/offset"
TIMECODE_RUNNING = "/timecode/running"
TIMECODE_ORIGIN = "/timecode/origin"
MIDI_LEARN = "/midi/learn"
MIDI_FORGET = "/midi/forget"
MIDI_TAKEOVER = "/midi/takeover"
MIDI_FEEDBACK = "/midi/feedback"
MIDI_CLOCK_OUT = "/midi/clock_out"
ABLETON_LAUNCH = "/ableton/launch"
ABLETON_TRACK = "/ableton/track"
ENGINE_FPS = "/engine/fps"
ENGINE_WORLD = "/engine/world"
ENGINE_DEVICE = "/engine/device"
ENGINE_PRECISION = "/engine/precision"

MotionName = Literal["amount", "inertia", "kappa", "follow", "mute", "solo", "hold"]
ModulatorName = Literal["source", "target", "depth", "shape", "rate", "sync", "steps", "fall"]
MeaningName = Literal["amount", "floor", "mute", "solo"]
DrumName = Literal["low", "high", "scale", "smooth", "gate"]
WindowName = Literal[
    "display",
    "full_screen",
    "x",
    "y",
    "width",
    "height",
    "delay",
    "flip",
    "top_left_x",
    "top_left_y",
    "top_right_x",
    "top_right_y",
    "bottom_right_x",
    "bottom_right_y",
    "bottom_left_x",
    "bottom_left_y",
]
SceneName = Literal["name", "colour"]
BlendName = Literal["x", "y", "seed", "text", "code", "take", "hear", "scene", "sound"]


def motion(level: str, name: MotionName) -> str:
    """A motion parameter of a level."""
    return f"/motion/{level}/{name}"


def axis(number: int) -> str:
    """The place on principal axis `number`, from 1."""
    return f"/axis/{number}"


def look_mix(level: str) -> str:
    """How far a level mixes in the second seed."""
    return f"/look/{level}/mix"


def look_level_seed(level: str) -> str:
    """The second seed of a level alone."""
    return f"/look/{level}/seed"


def look_level_code(level: str) -> str:
    """The code mixed into a level."""
    return f"/look/{level}/code"


def modulator_slot(number: int) -> str:
    """What the addresses of modulator `number` begin with, from 1."""
    return f"/moves/{number}/"


def modulator(number: int, name: ModulatorName) -> str:
    """A parameter of modulator `number`, from 1."""
    return f"/moves/{number}/{name}"


def drum(which: str, name: DrumName) -> str:
    """A parameter of a drum's band."""
    return f"/sound/{which}/{name}"


def scene(number: int, name: SceneName) -> str:
    """A parameter of scene `number`, from 1."""
    return f"/scene/{number}/{name}"


def blend(point: int, name: BlendName) -> str:
    """A parameter of a point of the blend surface."""
    return f"/blend/{point}/{name}"


def window(number: int, name: WindowName) -> str:
    """A parameter of full-screen window `number`, from 2."""
    return f"/window/{number}/{name}"


def meaning(slot: int, name: MeaningName) -> str:
    """A parameter of slot `slot` of the meaning mixer, from 1."""
    return f"/meaning/{slot}/{name}"
