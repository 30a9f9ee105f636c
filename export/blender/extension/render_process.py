"""`sonorama render` in a process of its own: its command line, progress, errors and end. Needs no Blender."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

_PROGRESS = re.compile(r"render: (\d+) of (\d+), (\d+) s left")
_SECONDS_BETWEEN_LINES = "0.5"


class RenderError(Exception):
    """A film that cannot be made.

    Args:
        what: one line that says what is wrong.
        what_to_do: one line that says what to do about it.

    """

    def __init__(self, what: str, what_to_do: str) -> None:
        super().__init__(f"{what}\n{what_to_do}")
        self.lines = (what, what_to_do)


@dataclass(frozen=True)
class FilmOptions:
    """One film of a part of a sound.

    Attributes:
        sound: any audio or video file.
        start: frame of the sound at which the film begins, 0 or more; may lie between two frames.
        frames: how many frames it has.
        fps: frames a second.
        out: the film, a file that is not there yet.
        world: name or path; empty: sonorama's default.
        seed: of the base latent.
        preset: codec, see `sonorama render --preset`.
        size: (width, height) in pixels; None: the world's own.

    """

    sound: Path
    start: float
    frames: int
    fps: Fraction
    out: Path
    world: str
    seed: int
    preset: str
    size: tuple[int, int] | None

    def arguments(self) -> list[str]:
        """Of `sonorama`."""
        # Half a frame less, so that rounding to samples cannot add a frame: a begun frame counts as a whole one.
        seconds = (self.frames - 0.5) / self.fps
        told = ["--start", f"{float(self.start / self.fps):.6f}", "--duration", f"{float(seconds):.6f}"]
        told += ["--fps", str(self.fps), "--seed", str(self.seed), "--preset", self.preset]
        told += ["--world", self.world] if self.world else []
        told += ["--size", f"{self.size[0]}x{self.size[1]}"] if self.size else []
        # The sequencer plays the sound strip itself.
        return ["render", *told, "--audio", "none", "--json", "--out", str(self.out), "--", str(self.sound)]


def find_sonorama(path: str) -> str:
    """The program: the one that the user names, else the one on the PATH. Raises RenderError where there is none."""
    found = shutil.which(path or "sonorama")
    if found is None:
        where = path or "sonorama (on the PATH)"
        what_to_do = "Install sonorama, then give the path of its program in the add-on's preferences."
        raise RenderError(f"The program {where} was not found", what_to_do)
    return found


def film_path(folder: Path, stem: str, suffix: str) -> Path:
    """A name in the folder that no film has: STEM.mp4, STEM-2.mp4 ..."""
    path, number = folder / f"{stem}{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    return path


class RenderProcess:
    """A film that is being made.

    Attributes:
        done, total: frames; 0 and 0 before the first is painted.
        seconds_left: an estimate; None before there is one.
        cancelled: whether `cancel` ended it.

    """

    def __init__(self, program: str, arguments: Sequence[str]) -> None:
        """Start it. Raises RenderError if it cannot be started."""
        self.done = self.total = 0
        self.seconds_left: int | None = None
        self.cancelled = False
        self._lines: deque[str] = deque(maxlen=2)
        try:
            self._process = subprocess.Popen(
                [program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env={**os.environ, "SONORAMA_PROGRESS": _SECONDS_BETWEEN_LINES}, text=True, encoding="utf-8",
                errors="replace", creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )  # fmt: skip
        except OSError as error:
            what_to_do = "Give the path of the program in the add-on's preferences."
            raise RenderError(f"{program} cannot be started: {error.strerror}", what_to_do) from error
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stderr or ():
            progress = _PROGRESS.match(line)
            if progress:
                self.done, self.total, self.seconds_left = (int(number) for number in progress.groups())
            elif line.strip():
                self._lines.append(line.strip())

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self._process.poll() is None

    def cancel(self) -> None:
        """End it; sonorama leaves nothing behind."""
        self.cancelled = True
        self._process.terminate()

    def result(self) -> dict[str, object]:
        """Wait for the end; what `sonorama render --json` says of the film.

        Raises:
            RenderError: no film was made; its two lines are sonorama's own.

        """
        out = self._process.stdout.read() if self._process.stdout else ""
        self._reader.join()
        code = self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()
        if self.cancelled:
            raise RenderError("The film was cancelled", "Render the strip again to make it.")
        if code != 0:
            what, what_to_do = [*self._lines, *[""] * 2][:2]
            raise RenderError(what or f"sonorama ended with code {code}", what_to_do or "Look at sonorama doctor.")
        return json.loads(out)
