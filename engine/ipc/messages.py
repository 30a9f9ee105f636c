"""The messages between the processes of a show: what the show, its renderer and its panels tell each other.

Each is one line of JSON with the message's name in `type`; docs/channel.md lists them all. Both ends run the same
version as a rule, but a panel may be older or newer than its show: a message of an unknown type is skipped, unknown
fields are ignored, and in messages to and from panels a field or entry that does not fit is left out.
"""

from __future__ import annotations

import re

import msgspec
from msgspec.structs import force_setattr

from ..units import EXACT

Value = float | int | bool | str
MEL_BANDS, SCENES = 32, 8


class Change(msgspec.Struct, frozen=True, array_like=True):
    """A new value for the parameter at `path`.

    A change is valid when its address is in the table and its value is one that the parameter takes.
    `control/accept.py` makes valid changes of values from outside; everything behind it trusts them.

    Attributes:
        path: the parameter's address. value: of its own type, within its range.
        source: who asked for it: `command line`, `osc:HOST:PORT`, `panel`, `scene`, `text`, ...
        over: seconds in which a float moves there in a straight line; 0: as its glide says.

    """

    path: str
    value: Value
    source: str
    over: float = 0.0


def message_type(name: str) -> str:
    """The value of `type` for a class of this name."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


class Message(msgspec.Struct, frozen=True, tag=message_type, tag_field="type"):
    """What all messages are. Their type is the class's name in lower case, with hyphens: `StateSaved`: state-saved."""


# --- from whoever connects


class Join(Message, frozen=True):
    """The first message of a connection.

    Attributes:
        role: `panel` or `renderer`.
        token: from the show's session file.

    """

    role: str
    token: str


# --- from the show to panels


class Hello(Message, frozen=True):
    """The first message to a panel.

    Attributes:
        name: of the show.
        world: name or path of the world that it plays.
        frame_map: name of the frame map that it writes.
        osc_port: where it listens for OSC; 0 for nowhere.
        version: of sonorama.

    """

    name: str = ""
    world: str = ""
    frame_map: str = ""
    osc_port: int = 0
    version: str = ""


class Values(Message, frozen=True):
    """The target of every parameter, after `hello`.

    Attributes:
        values: by address.

    """

    values: dict[str, Value]


class Changed(Message, frozen=True):
    """Parameters have new targets.

    Attributes:
        changes: [address, value, source] each; source without what follows its first colon.

    """

    changes: list[tuple[str, Value, str]]


class Measured(Message, frozen=True, kw_only=True):
    """What a renderer measures; part of RendererStatus and Status.

    Attributes:
        frame: the newest one: of a RendererStatus the newest computed, of a Status the newest that left.
        level, bass, mid, high, onset, kick, snare, hat, build, drop: 0..1.
        beat, phrase: phase of the beat and of 16 bars, 0..1. bar: 1 to 4; 0 without a beat.
        bpm: beats a minute; 0 while unknown. confidence: in the beat, 0..1.
        db: loudness, dBFS. mel: 32 bands, low first, 0..1.
        scores: [label, score 0..1] of the world's classes and names, best first.
        classes: of the world that is played, in the order of the meaning mixer's slots.
        class_scores: score 0..1 of each class; empty for silence.
        effective: address -> effective value, of modulated parameters. drivers: address -> what modulates it.
        painted_fps: pictures a second. paint_ms: median milliseconds of one. replaced: frames skipped for a newer one.
        precision: `exact` or a number format such as `bf16`, `early exit`, `half rate` after commas; empty without any.
        faults: what is wrong now, one line each.

    """

    frame: int = 0
    level: float = 0.0
    bass: float = 0.0
    mid: float = 0.0
    high: float = 0.0
    onset: float = 0.0
    beat: float = 0.0
    bpm: float = 0.0
    confidence: float = 0.0
    kick: float = 0.0
    snare: float = 0.0
    hat: float = 0.0
    build: float = 0.0
    drop: float = 0.0
    bar: float = 0.0
    phrase: float = 0.0
    db: float = -120.0
    mel: tuple[float, ...] = ()
    scores: tuple[tuple[str, float], ...] = ()
    classes: tuple[str, ...] = ()
    class_scores: tuple[float, ...] = ()
    effective: dict[str, float] = {}
    drivers: dict[str, str] = {}
    painted_fps: float = 0.0
    paint_ms: float = 0.0
    replaced: int = 0
    precision: str = ""
    faults: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        mel = tuple(min(1.0, max(0.0, band)) for band in self.mel[:MEL_BANDS])
        force_setattr(self, "mel", mel + (0.0,) * (MEL_BANDS - len(mel)))
        force_setattr(self, "scores", tuple((label, min(1.0, max(0.0, one))) for label, one in self.scores))


class Status(Measured, frozen=True, kw_only=True):
    """The state of the show, ten times a second.

    Attributes:
        fps: new pictures a second. target_fps: how many there should be.
        late: ticks so far that repeated a picture because no new one came in time.
        delay_ms: median from sound to picture; 0 while unknown.
        renderer_pid: 0 while no renderer runs. restarts: of the renderer so far.
        osc_port: where the show listens. osc_received: packets so far.
        recording: whether a recording is being written. source: of the sound. timecode: see `shown_timecode`.
        scenes: which of the eight slots hold a scene. scene: that was recalled last; 0: none.
        cues: where the cue list is: `now`, `next`, `left`, `running` and `file`, as show/cue_player.py describes them.
        loading: addresses whose new value is still being loaded: a world, device, code, text, photo or sound.
        bridges: what bridges publish, `osc_port` and the like. outputs: a line each on where the pictures go.

    """

    fps: float = 0.0
    target_fps: float = 0.0
    late: int = 0
    delay_ms: float = 0.0
    renderer_pid: int = 0
    restarts: int = 0
    osc_port: int = 0
    osc_received: int = 0
    recording: bool = False
    source: str = ""
    scenes: tuple[bool, ...] = ()
    scene: int = 0
    cues: dict[str, Value] = {}
    loading: tuple[str, ...] = ()
    timecode: str = ""
    bridges: dict[str, Value] = {}
    outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        scenes = self.scenes[:SCENES]
        force_setattr(self, "scenes", scenes + (False,) * (SCENES - len(scenes)))


# --- from panels to the show


class Set(Message, frozen=True):
    """Ask for new values. The show clips numbers, and refuses unknown addresses, wrong types and paths of files.

    Attributes:
        changes: [address, value] each.

    """

    changes: list[tuple[str, Value]]


# --- from the show to its renderer


class Start(Message, frozen=True, kw_only=True):
    """Begin to play; the first message to a renderer.

    Attributes:
        values: what parameters begin at.
        state_file: where to save the state once a second.
        state: file of a state to continue from; empty: begin at rest.
        journal: [frame, changes] applied since that state; they are applied again at the same frames.
        fresh: [frame, sample] to begin at, instead of frame 0.
        held: [point, taken] of the SoundHeld so far; they hold again.
        precision: in which the renderer before painted last, as in PrecisionChanged.

    """

    values: dict[str, Value]
    state_file: str
    state: str = ""
    journal: list[tuple[int, list[Change]]] = []
    fresh: tuple[int, int] | None = None
    held: list[tuple[int, int]] = []
    precision: str = EXACT


class Apply(Message, frozen=True):
    """Apply changes at the next frame.

    Attributes:
        changes: all valid.
        seq: counts these messages, from 1.

    """

    changes: list[Change]
    seq: int


class Quit(Message, frozen=True):
    """End."""


# --- from the renderer to the show


class Ready(Message, frozen=True):
    """The world is open; frames are played from now on.

    Attributes:
        world, version: from the world's card.
        device: where its networks run: `Backend.name`.

    """

    world: str = ""
    version: str = ""
    device: str = ""


class Failed(Message, frozen=True):
    """The renderer cannot begin, and ends.

    Attributes:
        message, hint: of the error.

    """

    message: str
    hint: str


class Applied(Message, frozen=True):
    """Changes were applied at a frame. Sent before that frame is painted.

    Attributes:
        frame, sample: of the frame.
        changes: what was applied, results of loads among them.
        seq: of the last `apply` that was taken into account.
        at_ns: monotonic nanoseconds at which the frame was begun.

    """

    frame: int
    sample: int
    changes: list[Change]
    seq: int
    at_ns: int = 0


class LoadRefused(Message, frozen=True):
    """A new world, device or text could not be loaded; the value before still holds.

    Attributes:
        path: address.
        value: that still holds.

    """

    path: str
    value: Value


class Meters(Message, frozen=True):
    """The sound's features at a frame, with every frame.

    Attributes:
        values: as named by `audio.features.LIVE_METERS`.

    """

    values: list[float]


class RendererStatus(Measured, frozen=True, kw_only=True):
    """The state of the renderer, ten times a second."""


class StateSaved(Message, frozen=True):
    """The state file is up to date.

    Attributes:
        frame: the last one whose effects are in it.

    """

    frame: int


class MotionLost(Message, frozen=True):
    """The latent became NaN; the renderer ends, the next one begins at rest."""


class SoundMissed(Message, frozen=True):
    """Samples had left the ring before they could be read; silence was played in their place.

    Attributes:
        frame: at which that happened. sample: samples before its end.
        first, last: the missing samples; last is not included.

    """

    frame: int
    sample: int
    first: int
    last: int


class SoundHeld(Message, frozen=True):
    """The sound networks answered too late: points of the sound's 100 ms grid took an earlier answer. Sent before that
    frame is painted.

    Attributes:
        frame, sample: of the frame that needed them first.
        points: [point, taken] each: index on the grid of 100 ms, and of the point whose answer it took.

    """

    frame: int
    sample: int
    points: list[tuple[int, int]]


class PrecisionChanged(Message, frozen=True):
    """Pictures are painted in another precision from a frame on. Sent before that frame is painted, and before the
    first picture of a renderer.

    Attributes:
        frame, sample: of the frame.
        precision: `exact`, or the number format of a faster one, such as `bf16`; with `, early exit` perhaps.

    """

    frame: int
    sample: int
    precision: str


MESSAGES: tuple[type[Message], ...] = (
    Join, Hello, Values, Changed, Status, Set, Start, Apply, Quit,
    Ready, Failed, Applied, LoadRefused, Meters, RendererStatus, StateSaved, MotionLost, SoundMissed, SoundHeld,
    PrecisionChanged,
)  # fmt: skip
