"""What a show is made of, as the command line or a program asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..control.parameters import Change, Value
from ..errors import ValueRefused
from ..osc.server import PORT, PORT_OUT
from ..units import DEFAULT_WORLD

WORLD, TEST_PATTERN = "world", "test-pattern"
RENDERERS = (WORLD, TEST_PATTERN)
"""What paints: the networks of a world, in a process of their own, or a test pattern."""


@dataclass(frozen=True)
class Motion:
    """Where a renderer's saved state continues (pipeline/snapshot.py).

    Attributes:
        file: the state.
        frame, sample: before which frame and sample it was saved.
        values: of the renderer's parameters then.

    """

    file: Path
    frame: int
    sample: int
    values: Mapping[str, Value]


@dataclass(frozen=True)
class ShowPlan:
    """The parts of a show and where it begins.

    Attributes:
        name: other programs find its pictures in the frame map `sonorama-<name>`.
        source: of the sound; see `open_source`.
        world: name or path.
        values: of parameters, by address; the others start at their defaults.
        events: what fires at the start, such as the recall of a scene.
        sinks: `NAME` or `NAME:ARGUMENT` each, with options behind it (output_shape.py).
        record: file or folder for recordings; None: the user's videos folder.
        record_now: whether recording begins with the show.
        take: folder to keep the performance in; None keeps none.
        osc_port: where OSC listens; the next free one is taken if it is busy.
        osc_out: port of this machine that is told of everything; 0: none.
        osc_host, osc_allow: see osc.OscServer.
        bridges: `NAME` or `NAME:ARGUMENT` each, besides OSC.
        stats: file for one JSON object a second.
        renderer: one of RENDERERS.
        resumed: whether it goes on with a show that was killed (resume.py).
        cues: file of the cue list; None: the one of the show's name.
        play: whether the list is played from the start, and the first cue follows the last.
        cue: number of the cue that a show that was killed was at; 0: none.
        motion: the state in which the motion of a show that was killed goes on; None: it begins at rest.

    Raises:
        ValueRefused: no such renderer, or a take of a test pattern.

    """

    name: str = "sonorama"
    source: str = "device"
    world: str = DEFAULT_WORLD
    values: Mapping[str, Value] = field(default_factory=dict)
    events: tuple[Change, ...] = ()
    sinks: tuple[str, ...] = ()
    record: Path | None = None
    record_now: bool = False
    take: Path | None = None
    osc_port: int = PORT
    osc_out: int = PORT_OUT
    osc_host: str = "127.0.0.1"
    osc_allow: tuple[str, ...] = ()
    bridges: tuple[str, ...] = ()
    stats: Path | None = None
    renderer: str = WORLD
    resumed: bool = False
    cues: Path | None = None
    play: bool = False
    cue: int = 0
    motion: Motion | None = None

    def __post_init__(self) -> None:
        if self.renderer not in RENDERERS:
            raise ValueRefused(f"There is no renderer {self.renderer}", f"Use {' or '.join(RENDERERS)}.")
        if self.renderer == TEST_PATTERN and self.take is not None:
            raise ValueRefused("A test pattern is no performance, so there is no take of it", "Leave --take out.")
