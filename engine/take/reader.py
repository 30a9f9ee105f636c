"""Reads and checks takes, the recorded performances that writer.py writes.

A take cut short by a crash or a full disk is read as far as it goes; one that is damaged in any other way is refused.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..control.addresses import ENGINE_FPS
from ..control.live_table import SHOW
from ..control.parameters import Change, Value
from ..errors import InputError, ValueRefused, one_line_error
from ..model.base_code import SUFFIX
from ..pipeline.frame_grid import FrameGrid, exact_rate
from ..units import EXACT, SAMPLE_RATE
from . import audio_file as takesound
from .json_values import Span, held_of, path_of, size_of, span_of, text_of, value_of, values_of, whole_number
from .writer import CODES_FOLDER, EVENTS, FORMAT, HEAD, SOUND, STATE, VERSION, TakeStart

_LARGEST_HEAD, _LONGEST_LINE = 1 << 20, 1 << 20
_FPS = re.compile(r"[1-9][0-9]{0,8}(/[1-9][0-9]{0,8})?")
_WRONG = (ValueError, TypeError, LookupError, OverflowError, RecursionError, ValueRefused)


@dataclass(frozen=True)
class Fresh:
    """A new start from rest within a take, after a renderer whose state was lost.

    Attributes:
        frame: first frame of the new start.
        sample: index in the sample ring of the end of the sound before it.
        values: parameter values at the new start.

    """

    frame: int
    sample: int
    values: Mapping[str, Value]


@dataclass
class _Events:
    """Contents of events.jsonl; the fields are described at Take."""

    changes: dict[int, list[Change]] = field(default_factory=dict)
    restarts: list[tuple[int, int]] = field(default_factory=list)
    fresh: list[Fresh] = field(default_factory=list)
    deaf: list[Span] = field(default_factory=list)
    held: dict[int, int] = field(default_factory=dict)
    lost: list[Span] = field(default_factory=list)
    dropped: int = 0
    worlds: dict[str, str] = field(default_factory=dict)
    devices: list[str] = field(default_factory=list)
    precisions: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Take:
    """A take, checked. Samples are indices of the sample ring.

    Attributes:
        folder: folder of the take.
        start: initial state.
        begun: date and time of the start (UTC, ISO 8601).
        changes: frame -> changes applied at that frame, in order.
        restarts: (frame, count) of each renderer that died and was replaced.
        fresh: new starts from rest, in order.
        deaf: spans [first, last) of samples that the renderer missed and replaced by silence.
        held: grid point of the sound -> the earlier one whose late answer it took, see SoundConditioner.
        lost: spans [first, last) of samples that are missing from audio.wav and silent there.
        dropped: number of events that were not written.
        worlds: value of /engine/world -> content hash, for worlds loaded during the take.
        devices: backend of each renderer, in order, as far as known.
        precisions: (frame, precision): pictures were painted so from there on, in order; before the first, exactly.
        end_frame, end_sample: the last frame that can be replayed, and its sample.
        length: number of samples of audio.wav that belong to these frames.
        whole: whether the take was closed and its sound is complete.
        facts: contents of take.json.

    """

    folder: Path
    start: TakeStart
    begun: str
    changes: Mapping[int, list[Change]]
    restarts: list[tuple[int, int]]
    fresh: list[Fresh]
    deaf: list[Span]
    held: Mapping[int, int]
    lost: list[Span]
    dropped: int
    worlds: Mapping[str, str]
    devices: list[str]
    precisions: list[tuple[int, str]]
    end_frame: int
    end_sample: int
    length: int
    whole: bool
    facts: Mapping[str, Any]

    @property
    def audio(self) -> Path:
        """Path of the sound, which begins at sample `start.sample`."""
        return self.folder / SOUND

    @property
    def device(self) -> str:
        """Name of the first renderer's backend."""
        return (self.devices or [self.start.device])[0]

    def precision_at(self, frame: int) -> str:
        """In which precision the pictures of a frame were painted."""
        return next((name for begun, name in reversed(self.precisions) if begun <= frame), EXACT)

    @property
    def events(self) -> Path:
        """Path of the events."""
        return self.folder / EVENTS

    @property
    def codes(self) -> list[Path]:
        """Files of the codes that were played."""
        return sorted((self.folder / CODES_FOLDER).glob(f"*{SUFFIX}"))

    @property
    def fps(self) -> Fraction:
        """Exact frame rate at the start."""
        return self.start.fps


def is_take(path: Path) -> bool:
    """Whether a path is the folder of a take."""
    return (path / HEAD).is_file()


def find_take(path: Path) -> Take | None:
    """Read the take at a path; None if there is no take.

    Raises:
        InputError: a file of the take is missing or damaged.

    """
    if is_take(path):
        return read_take(path)
    has_sound = (path / SOUND).is_file()
    if path.is_dir() and (path.suffix == ".take" or has_sound or (path / EVENTS).is_file()):
        hint = "Put that file back" + (f", or render the sound alone: {path / SOUND}" if has_sound else ".")
        raise InputError(f"{path} looks like a take, but {HEAD} is missing from it", hint)
    return None


def read_take(folder: Path) -> Take:
    """Read and check a take. One that was not closed, as it is still recorded or its show crashed, ends with its sound.

    Raises:
        InputError: a file of the take is missing or damaged.

    """
    facts = _read_head(folder / HEAD)
    with _Damaged(folder / HEAD):
        start, end = _start(folder, facts), _end(facts)
        begun = text_of(facts["begun"])
        whole_number(facts["seed"])
    events = _read_events(folder / EVENTS)
    recorded = start.sample + takesound.count(folder / SOUND)
    whole = end is not None and end[1] <= recorded
    grid = _last_grid(start, events, end[1] if whole and end else recorded)
    last = end if whole and end else _last_frame(grid, recorded)
    length = last[1] - start.sample + int(SAMPLE_RATE / grid.fps)
    return Take(
        folder,
        start,
        begun,
        **vars(events),
        end_frame=last[0],
        end_sample=last[1],
        length=length,
        whole=whole,
        facts=facts,
    )


class _Damaged:
    """Context that turns errors about invalid values into one InputError about a file."""

    def __init__(self, path: Path, line: int | None = None) -> None:
        self._location = str(path) if line is None else f"Line {line} of {path}"

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, _WRONG):
            why = (
                f"{error.args[0]} is missing"
                if isinstance(error, KeyError)
                else one_line_error(error).split(": ", 1)[-1]
            )
            hint = "Restore the file as it was recorded; an edited take cannot be played."
            raise InputError(f"{self._location} is damaged: {why[:200]}", hint) from error


def _read_head(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_HEAD + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "Give the folder of a take.") from error
    with _Damaged(path):
        if len(data) > _LARGEST_HEAD:
            raise ValueError("it is too large")
        told = _json(data)
        if told.get("format") != FORMAT:
            raise ValueError("it is not the description of a take")
        version = whole_number(told["version"])
        json.dumps(told, ensure_ascii=False).encode()  # half a character of JSON's \u escapes can go nowhere else
    if version != VERSION:
        raise InputError(f"{path} is a take of version {version}, not {VERSION}", "Update sonorama to play it.")
    return told


def _json(data: bytes) -> dict[str, Any]:
    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no number")

    told = json.loads(data.decode("utf-8"), parse_constant=refuse)
    if not isinstance(told, dict):
        raise TypeError("no object")
    return told


def _start(folder: Path, facts: Mapping[str, Any]) -> TakeStart:
    world, fps = facts["world"], text_of(facts["fps"])
    if facts["rate"] != SAMPLE_RATE or not _FPS.fullmatch(fps) or not 1 <= Fraction(fps) <= 1000:
        raise ValueError(f"no take has {fps} frames and {facts['rate']} samples a second")
    if facts["state"] not in (None, STATE):
        raise ValueError("its state is in no file of a take")
    frame, sample, state = (
        whole_number(facts["frame"]),
        whole_number(facts["sample"]),
        facts["state"] and folder / STATE,
    )
    return TakeStart(
        world=text_of(world["name"]),
        sha256=text_of(world["sha256"]),
        version=text_of(world["version"]),
        device=text_of(facts["device"]),
        fps=Fraction(fps),
        size=size_of(facts["size"]),
        values=values_of(facts["values"]),
        frame=frame,
        sample=sample,
        state=state,
        classes=tuple(text_of(one) for one in world.get("classes", ())),
    )


def _end(facts: Mapping[str, Any]) -> tuple[int, int] | None:
    if facts["end"] is None:
        return None
    frame, sample = whole_number(facts["end"]["frame"]), whole_number(facts["end"]["sample"])
    if frame < facts["frame"] or sample < facts["sample"]:
        raise ValueError("it ends before it begins")
    return frame, sample


def _read_events(path: Path) -> _Events:
    events = _Events()
    try:
        with path.open("rb") as file:
            for number, line in enumerate(_lines_of(file), 1):
                if line.endswith(b"\n"):
                    with _Damaged(path, number):
                        _add(events, line)
                else:  # the last line, cut short by a crash
                    with suppress(*_WRONG):
                        _add(events, line)
    except OSError as error:
        hint = "Restore the file; a take cannot be played without its events."
        raise InputError(f"{path} cannot be read: {error.strerror}", hint) from error
    return events


def _lines_of(file: Any) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE):
        yield line


def _add(events: _Events, line: bytes) -> None:
    told = _json(line)
    frame, sample = whole_number(told["frame"]), whole_number(told["sample"])
    if "set" in told:
        changes = [_change(row) for row in told["set"]]
        events.changes.setdefault(frame, []).extend(changes)
    if "restart" in told:
        events.restarts.append((frame, whole_number(told["restart"])))
    if "fresh" in told:
        events.fresh.append(Fresh(frame, sample, values_of(told["fresh"])))
    if "deaf" in told:
        events.deaf.append(span_of(told["deaf"]))
    if "held" in told:
        events.held.update(held_of(*pair) for pair in told["held"])
    if "lost" in told:
        events.lost.append(span_of(told["lost"]))
    if "dropped" in told:
        events.dropped += whole_number(told["dropped"])
    if "device" in told:
        events.devices.append(text_of(told["device"]))
    if "precision" in told:
        events.precisions.append((frame, text_of(told["precision"])))
    if "opened" in told:
        world, content = told["opened"]
        events.worlds[text_of(world)] = text_of(content)


def _change(row: Any) -> Change:
    if not isinstance(row, list) or len(row) != 4:
        raise ValueError(f"{str(row)[:60]!r} is no change")
    path, value, source, over = path_of(row[0]), *row[1:]
    if isinstance(over, bool) or not isinstance(over, int | float) or not 0 <= over < math.inf:
        raise ValueError(f"{over!r} is no time")
    return Change(path, value_of(path, value), sys.intern(text_of(source)), float(over))


def _last_grid(start: TakeStart, events: _Events, sample: int) -> FrameGrid:
    """The frame grid in use at a sample."""
    grid = FrameGrid(start.fps, start.frame - (start.state is not None), start.sample)
    turns: list[tuple[int, Value | Fresh]] = [(one.frame, one) for one in events.fresh]
    turns += [(at, one.value) for at, changes in events.changes.items() for one in changes if one.path == ENGINE_FPS]
    for frame, turn in sorted(turns, key=lambda pair: pair[0]):
        if isinstance(turn, Fresh):
            if turn.sample <= sample:
                grid = FrameGrid(_fps(turn.values.get(ENGINE_FPS, SHOW[ENGINE_FPS].default)), turn.frame, turn.sample)
        elif frame >= grid.frame0 and grid.sample(frame) <= sample:
            grid = grid.at_rate(_fps(turn), frame)
    return grid


def _fps(value: Value) -> Fraction:
    return exact_rate(float(SHOW[ENGINE_FPS].clip(value)))


def _last_frame(grid: FrameGrid, sample: int) -> tuple[int, int]:
    """(frame, sample) of the last frame of a grid that ends at or before a sample."""
    frame = grid.frame0 + int((sample - grid.sample0 + 1) * grid.fps / SAMPLE_RATE)
    while frame > grid.frame0 and grid.sample(frame) > sample:
        frame -= 1
    return frame, grid.sample(frame)
