"""A performance kept as a folder, from which it can be played again bit for bit (reader.py reads it).

`take.json` says how it began and, once it is whole, where it ended; `audio.wav` holds the sample ring's samples;
`events.jsonl` holds one JSON object a line: what was asked for at which frame, and what went wrong.
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
from ..errors import OutputError, SonoramaError, one_line_error
from ..files.atomic import write_bytes
from ..units import CHANNELS, SAMPLE_RATE
from ..versions import versions
from .audio_file import BLOCK, GrowingFile, SoundFile

FORMAT, VERSION = "sonorama-take", 1
HEAD, SOUND, EVENTS, STATE = "take.json", "audio.wav", "events.jsonl", "start.state"
MOST_WAITING = 1 << 18
"""Events that wait for a disk that takes nothing; later ones are lost, and the take says so."""
_PERIOD_S = 0.2
_STALLED_S = 5.0
_GIVE_UP_S = 5.0


@dataclass(frozen=True)
class TakeStart:
    """How a take begins.

    Attributes:
        world: name on its card.
        sha256: over its tensors, `Card.content`.
        version: of the world, from its card.
        device: where its networks run: `Backend.name`, or a value for --device; see also `TakeWriter.played_on`.
        fps: frames a second, exact.
        size: (width, height) of the pictures that leave, px.
        values: every control of SHOW.
        frame: the first frame.
        sample: what was heard before it, and where audio.wav begins: index in the sample ring.
        state: for a take of a performance that runs already: a file of `playerstate.save_state`, made before `frame`
            was played. Without one it begins at rest there, as after `Player.jump`.

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


class TakeWriter:
    """Writes one take from a thread of its own, which also reads the sample ring. Only making it waits for the disk.

    `frame` and `sample` of all methods are those of a `player.Step`. They may come in any order; the changes of one
    frame count in the order in which they were told, and each must be told once: not again for the frames that a
    restarted renderer plays a second time.

    Args:
        folder: is made; an empty one may be there.
        start: how it begins.
        ring: name of the show whose sample ring is kept.

    Raises:
        OutputError: something is there already, or it cannot be written.
        RingMissing: no such ring.

    """

    def __init__(self, folder: Path, start: TakeStart, ring: str) -> None:
        self.folder = folder
        self._start = start
        self._begun = datetime.now(UTC).isoformat(timespec="seconds")
        self._ring = SampleRing(ring)
        self._waiting: deque[bytes] = deque()
        self._last = (start.frame, start.sample)
        self._silent_to = 0
        self._lost = self._dropped = self._dropped_told = 0
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
        """What was asked for at a frame."""
        rows = [[change.path, change.value, change.source, change.over] for change in changes]
        if rows:
            self._tell(frame, sample, set=rows)

    def restart(self, frame: int, sample: int, count: int) -> None:
        """The renderer died; the next one, the `count`th, goes on from this frame."""
        self._tell(frame, sample, restart=count)

    def fresh(self, frame: int, sample: int, values: Mapping[str, Value]) -> None:
        """A renderer could not go on: at this frame one begins at rest, with these values, by `Player.jump`."""
        self._tell(frame, sample, fresh=dict(values))

    def deaf(self, frame: int, sample: int, first: int, last: int) -> None:
        """The renderer heard silence in place of samples `first` to `last` (not included) of the ring."""
        self._tell(frame, sample, deaf=[first, last])

    def played_on(self, frame: int, sample: int, device: str) -> None:
        """A renderer has begun to play, on this device: `Backend.name`. The first one settles what `auto` meant."""
        self._tell(frame, sample, device=device)

    def world_opened(self, frame: int, sample: int, world: str, sha256: str) -> None:
        """Another world was opened for this value of /engine/world; sha256: its `Card.content`."""
        self._tell(frame, sample, opened=[world, sha256])

    def note(self, frame: int, sample: int, text: str) -> None:
        """Anything else worth knowing; replays pass over it."""
        self._tell(frame, sample, note=text)

    def close(self, frame: int, sample: int, wait_s: float = 5.0) -> bool:
        """End with this frame, the last one played. May be called again to wait longer.

        Args:
            frame: of its `player.Step`.
            sample: of its `player.Step`.
            wait_s: how long to wait until all is on the disk.

        Returns:
            whether all of it is there.

        """
        if self._end is None:
            self._end, self._ended = (frame, sample), time.monotonic()
            self._wake.set()
        self._thread.join(wait_s)
        return self._whole

    def faults(self) -> list[str]:
        """One line for each thing that is wrong; empty when all is well."""
        lines, since, problem = [], self._working_since, self._problem
        if since is not None and time.monotonic() - since > _STALLED_S:
            problem = problem or "its disk does not answer"
        if not (self._whole or self._thread.is_alive()):
            problem = problem or "its thread has ended"
        if problem:
            lines.append(f"The take {self.folder.name} is not being written: {problem}")
        if self._lost:
            lines.append(f"The take {self.folder.name} misses {self._lost / SAMPLE_RATE:.1f} s of sound")
        if self._dropped:
            lines.append(f"The take {self.folder.name} misses {self._dropped} events")
        return lines

    # --- making it

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
        """Write take.json, whole or not at all."""
        start = self._start
        told = {
            "format": FORMAT,
            "version": VERSION,
            "world": {"name": start.world, "sha256": start.sha256, "version": start.version},
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
        write_bytes(self.folder / HEAD, json.dumps(told, indent=1, allow_nan=False).encode())

    # --- the thread

    def _tell(self, frame: int, sample: int, **what: object) -> None:
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
            end = self._end  # before the work: whatever was told before the end is written with it
            self._working_since = time.monotonic()
            try:
                self._work(end)
                self._problem = ""
            except FileNotFoundError:
                self._problem = "its folder is gone"
            except (OSError, SonoramaError) as error:
                self._problem = (error.strerror if isinstance(error, OSError) else None) or one_line_error(error)
            self._working_since = None
            if end is not None and time.monotonic() - self._ended > _GIVE_UP_S:
                break
        self._ring.close()

    def _work(self, end: tuple[int, int] | None) -> None:
        for file in (self._sound, self._lines):
            file.settle()
        events = len(self._waiting)  # told until now, so about sound that is in the ring now
        self._keep_sound()
        for _ in range(events):
            self._lines.append(self._waiting[0])
            self._waiting.popleft()
        if self._dropped > self._dropped_told:
            frame, sample = self._last
            self._lines.append(_line(frame, sample, {"dropped": self._dropped - self._dropped_told}))
            self._dropped_told = self._dropped
        if end is not None:
            self._finish(*end)

    def _finish(self, frame: int, sample: int) -> None:
        self._lines.close()
        self._sound.close()
        self._describe(frame=frame, sample=sample)
        self._whole = True

    def _keep_sound(self) -> None:
        stop = self._ring.count
        while (at := self._start.sample + self._sound.samples) < stop:
            try:
                if at < self._silent_to:
                    block = np.zeros((CHANNELS, min(BLOCK, self._silent_to - at)), np.float32)
                else:
                    block = self._ring.read(at, min(at + BLOCK, stop))
            except SamplesLost:
                self._lose(at)
                continue
            self._sound.append(block)

    def _lose(self, at: int) -> None:
        """Silence stands for what the ring no longer holds, with some distance to what it is about to lose."""
        ring = self._ring
        self._silent_to = max(at + 1, min(ring.oldest + ring.capacity // 8, ring.count))
        self._lost += self._silent_to - at
        self._tell(*self._last, lost=[at, self._silent_to])


class _Lines(GrowingFile):
    """A file of whole lines."""

    _end = 0

    def append(self, line: bytes) -> None:
        self.put(self._end, line)
        self._end += len(line)

    def reopened(self) -> None:
        self._end = self._path.read_bytes().rfind(b"\n") + 1
        self._file.truncate(self._end)


def _line(frame: int, sample: int, what: Mapping[str, object]) -> bytes:
    return json.dumps({"frame": frame, "sample": sample, **what}, allow_nan=False).encode() + b"\n"
