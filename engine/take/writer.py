"""Records takes: performances that reader.py can replay bit for bit. A take is a folder of three files or more.

`take.json`: the initial state and, once the take is closed, its last frame. `audio.wav`: the samples of the sample
ring. `events.jsonl`: one JSON object a line with the changes applied at a frame, or with a fault. `start.state`: the
state of the frame pipeline, in takes of a performance that was already running. `codes/`: the codes of photos and
videos that were played, so that the take does not depend on the user's folder of codes.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np

from ..audio.sample_ring import SampleRing, SamplesLost
from ..control.addresses import LOOK_SEED
from ..control.parameters import Change, Value
from ..control.pending_load import CODES
from ..errors import OutputError, SonoramaError, WorldError, one_line_error
from ..files.atomic import write_bytes
from ..model.base_code import SUFFIX, find_code, save_code
from ..units import CHANNELS, SAMPLE_RATE
from ..versions import versions
from .audio_file import BLOCK, GrowingFile, SoundFile

FORMAT, VERSION = "sonorama-take", 1
HEAD, SOUND, EVENTS, STATE, CODES_FOLDER = "take.json", "audio.wav", "events.jsonl", "start.state", "codes"
MOST_WAITING = 1 << 18
"""Maximum number of events queued for a slow disk; further ones are dropped, and the take records how many."""
_PERIOD_S = 0.2
_STALLED_S = 5.0
_GIVE_UP_S = 5.0


@dataclass(frozen=True)
class TakeStart:
    """Initial state of a take.

    Attributes:
        world: name of the world.
        sha256: hash of the world's tensors, `Card.content`.
        version: version of the world.
        classes: of the world, in the order of the meaning mixer's slots; empty in takes of earlier versions.
        device: `Backend.name`, or a value for --device; see also `TakeWriter.played_on`.
        fps: exact frame rate.
        size: (width, height) of the output in pixels.
        values: value of every parameter of SHOW.
        frame: index of the first frame.
        sample: index in the sample ring of the end of the sound before that frame, where audio.wav begins.
        state: file with the state of the frame pipeline before `frame` (`pipeline/snapshot.py`), for a performance
            that was already running; None: it starts from rest, as after `FramePipeline.jump`.

    """

    world: str
    sha256: str
    version: str
    device: str
    fps: Fraction
    size: tuple[int, int]
    values: Mapping[str, Value]
    frame: int = 0
    sample: int = 0
    state: Path | None = None
    classes: tuple[str, ...] = ()


class TakeWriter:
    """Writes one take in a thread of its own, which also reads the sample ring. Only the constructor blocks.

    `frame` and `sample` of all methods are those of a FrameResult. Frames may come in any order; the changes of one
    frame are kept in the order of the calls. Each change must be passed once, not again for frames that a restarted
    renderer repeats.

    Args:
        folder: created; an existing one must be empty.
        start: initial state.
        ring: name of the show whose sample ring is recorded.

    Raises:
        OutputError: the folder is not empty, or cannot be written.
        RingMissing: there is no such sample ring.

    """

    def __init__(self, folder: Path, start: TakeStart, ring: str) -> None:
        self.folder = folder
        self._start = start
        self._begun = datetime.now(UTC).isoformat(timespec="seconds")
        self._ring = SampleRing(ring)
        self._waiting: deque[bytes] = deque()
        self._codes: deque[str] = deque(names_of_codes(start.values.items()))
        self._codes_missing: list[str] = []
        self._last = (start.frame, start.sample)
        self._silent_until = 0
        self._lost = self._dropped = self._dropped_written = 0
        self._problem = ""
        self._working_since: float | None = None
        self._end: tuple[int, int] | None = None
        self._ended = 0.0
        self._whole = False
        self._wake = threading.Event()
        self._make()
        self._thread = threading.Thread(target=self._run, name="take", daemon=True)
        self._thread.start()

    def changes(self, frame: int, sample: int, changes: Iterable[Change]) -> None:
        """Record changes applied at a frame."""
        changes = list(changes)
        rows = [[change.path, change.value, change.source, change.over] for change in changes]
        self._codes.extend(names_of_codes((change.path, change.value) for change in changes))
        if rows:
            self._record(frame, sample, set=rows)

    def restart(self, frame: int, sample: int, count: int) -> None:
        """Record that the renderer died and restart number `count` continues from this frame."""
        self._record(frame, sample, restart=count)

    def fresh(self, frame: int, sample: int, values: Mapping[str, Value]) -> None:
        """Record that a renderer starts from rest at this frame with these values, because the state was lost."""
        self._codes.extend(names_of_codes(values.items()))
        self._record(frame, sample, fresh=dict(values))

    def deaf(self, frame: int, sample: int, first: int, last: int) -> None:
        """Record that the renderer missed samples [first, last) of the ring and used silence instead."""
        self._record(frame, sample, deaf=[first, last])

    def held(self, frame: int, sample: int, points: Iterable[tuple[int, int]]) -> None:
        """Answers of the sound networks came too late for this frame: (point, taken) as in `SoundConditioner.late`."""
        self._record(frame, sample, held=[list(pair) for pair in points])

    def played_on(self, frame: int, sample: int, device: str) -> None:
        """Record the `Backend.name` of a renderer that has started; the first one resolves the device `auto`."""
        self._record(frame, sample, device=device)

    def precision(self, frame: int, sample: int, precision: str) -> None:
        """Record in which precision pictures are painted from this frame on; see PrecisionChanged."""
        self._record(frame, sample, precision=precision)

    def world_opened(self, frame: int, sample: int, world: str, sha256: str) -> None:
        """Record which world was loaded for a value of /engine/world; sha256: its `Card.content`."""
        self._record(frame, sample, opened=[world, sha256])

    def note(self, frame: int, sample: int, text: str) -> None:
        """Record a remark, which replays ignore."""
        self._record(frame, sample, note=text)

    def close(self, frame: int, sample: int, wait_s: float = 5.0) -> bool:
        """Close the take with its last frame. May be called again to wait longer.

        Args:
            frame: index of the last frame played.
            sample: sample of that frame.
            wait_s: seconds to wait for the disk.

        Returns:
            whether everything has been written.

        """
        if self._end is None:
            self._end, self._ended = (frame, sample), time.monotonic()
            self._wake.set()
        self._thread.join(wait_s)
        return self._whole

    def faults(self) -> list[str]:
        """Current problems, one line each; empty if there are none."""
        lines, since, problem = [], self._working_since, self._problem
        if since is not None and time.monotonic() - since > _STALLED_S:
            problem = problem or "the disk does not respond"
        if not (self._whole or self._thread.is_alive()):
            problem = problem or "its thread has stopped"
        if problem:
            lines.append(f"The take {self.folder.name} is not being written: {problem}")
        if self._lost:
            lines.append(f"The take {self.folder.name} misses {self._lost / SAMPLE_RATE:.1f} s of sound")
        if self._codes_missing:
            lines.append(f"The take {self.folder.name} misses the code {self._codes_missing[0]}")
        if self._dropped:
            lines.append(f"The take {self.folder.name} misses {self._dropped} events")
        return lines

    # --- creating the files

    def _make(self) -> None:
        if (self.folder / HEAD).exists():
            raise OutputError(f"{self.folder} holds a take already", "Choose another folder; takes are never replaced.")
        try:
            with ExitStack() as undo:
                self._make_files(undo)
                undo.pop_all()
        except OSError as error:
            message = f"The take {self.folder} cannot be written: {error.strerror or error}"
            raise OutputError(message, "Choose an empty or new folder on a disk with room.") from error

    def _make_files(self, undo: ExitStack) -> None:
        if not self.folder.exists():
            self.folder.mkdir()
            undo.callback(self.folder.rmdir)
        elif any(self.folder.iterdir()):
            raise OutputError(f"{self.folder} is not empty", "Choose an empty or new folder for the take.")
        self._sound = SoundFile(self.folder / SOUND)
        undo.callback((self.folder / SOUND).unlink)
        undo.callback(self._sound.close)
        self._lines = _Lines(self.folder / EVENTS)
        undo.callback((self.folder / EVENTS).unlink)
        undo.callback(self._lines.close)
        if self._start.state is not None:
            undo.callback((self.folder / STATE).unlink, missing_ok=True)
            shutil.copyfile(self._start.state, self.folder / STATE)
        self._describe()

    def _describe(self, **end: int) -> None:
        """Write take.json atomically."""
        start = self._start
        description = {
            "format": FORMAT,
            "version": VERSION,
            "world": {
                "name": start.world,
                "sha256": start.sha256,
                "version": start.version,
                "classes": [*start.classes],
            },
            "device": start.device,
            "fps": str(start.fps),
            "rate": SAMPLE_RATE,
            "size": list(start.size),
            "seed": start.values[LOOK_SEED],
            "frame": start.frame,
            "sample": start.sample,
            "state": None if start.state is None else STATE,
            "values": dict(start.values),
            "versions": versions(),
            "begun": self._begun,
            "end": end or None,
        }
        write_bytes(self.folder / HEAD, json.dumps(description, indent=1, allow_nan=False).encode())

    # --- the thread

    def _record(self, frame: int, sample: int, **what: object) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._dropped += 1
            return
        self._last = (frame, sample)
        self._waiting.append(_line(frame, sample, what))
        self._wake.set()

    def _run(self) -> None:
        while not self._whole:
            self._wake.wait(_PERIOD_S)
            self._wake.clear()
            end = self._end  # read before the work, so that all events before the end are written
            self._working_since = time.monotonic()
            try:
                self._work(end)
                self._problem = ""
            except FileNotFoundError:
                self._problem = "its folder was removed"
            except (OSError, SonoramaError) as error:
                self._problem = (error.strerror if isinstance(error, OSError) else None) or one_line_error(error)
            self._working_since = None
            if end is not None and time.monotonic() - self._ended > _GIVE_UP_S:
                break
        self._ring.close()

    def _work(self, end: tuple[int, int] | None) -> None:
        for file in (self._sound, self._lines):
            file.settle()
        self._write_codes()
        events = len(self._waiting)  # those so far, which concern sound that is in the ring now
        self._write_sound()
        for _ in range(events):
            self._lines.append(self._waiting[0])
            self._waiting.popleft()
        if self._dropped > self._dropped_written:
            frame, sample = self._last
            self._lines.append(_line(frame, sample, {"dropped": self._dropped - self._dropped_written}))
            self._dropped_written = self._dropped
        if end is not None:
            self._finish(*end)

    def _write_codes(self) -> None:
        while self._codes:
            name, folder = self._codes[0], self.folder / CODES_FOLDER
            try:
                code = find_code(name)
            except WorldError:
                self._codes_missing = [*self._codes_missing, name]
                self._record(*self._last, note=f"The code {name} was not in the user's folder")
            else:
                if not (path := folder / f"{name}{SUFFIX}").exists():
                    folder.mkdir(exist_ok=True)
                    save_code(code, path)
            self._codes.popleft()

    def _finish(self, frame: int, sample: int) -> None:
        self._lines.close()
        self._sound.close()
        self._describe(frame=frame, sample=sample)
        self._whole = True

    def _write_sound(self) -> None:
        stop = self._ring.count
        while (at := self._start.sample + self._sound.samples) < stop:
            try:
                if at < self._silent_until:
                    block = np.zeros((CHANNELS, min(BLOCK, self._silent_until - at)), np.float32)
                else:
                    block = self._ring.read(at, min(at + BLOCK, stop))
            except SamplesLost:
                self._lose(at)
                continue
            self._sound.append(block)

    def _lose(self, at: int) -> None:
        """Replace samples that the ring no longer holds by silence, and those that it will overwrite soon."""
        ring = self._ring
        self._silent_until = max(at + 1, min(ring.oldest + ring.capacity // 8, ring.count))
        self._lost += self._silent_until - at
        self._record(*self._last, lost=[at, self._silent_until])


def names_of_codes(values: Iterable[tuple[str, Value]]) -> list[str]:
    """Names of the codes among (address, value)."""
    return [str(value) for path, value in values if path in CODES and value]


class _Lines(GrowingFile):
    """A text file that grows by whole lines."""

    _end = 0

    def append(self, line: bytes) -> None:
        self.put(self._end, line)
        self._end += len(line)

    def reopened(self) -> None:
        self._end = self._path.read_bytes().rfind(b"\n") + 1
        self._file.truncate(self._end)


def _line(frame: int, sample: int, what: Mapping[str, object]) -> bytes:
    return json.dumps({"frame": frame, "sample": sample, **what}, allow_nan=False).encode() + b"\n"
