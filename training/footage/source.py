"""Turns one source file into photos, clips and a soundtrack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame

from ...engine.errors import InputError
from ...engine.files.atomic import translated
from ...engine.units import SAMPLE_RATE
from .clips import RATE, ClipGrid, Stretch, write_clip
from .crops import choose_crop, crop_size, without_borders
from .decode import Film, Geometry, Kind, photo
from .deinterlace import deinterlaced
from .duplicates import Look, Seen, is_flat, look_of
from .layouts import Item
from .outcome import ClipMade, Outcome, PhotoMade, SoundMade
from .picture import Box, Picture, Renderer, fit, jpeg
from .settings import Settings
from .shots import InShot, in_shots
from .soundtrack import Soundtrack, write_soundtrack
from .tone_mapping import NAMES

Write = Callable[[str, Callable[[Path], None]], None]
"""write(name, make): writes a file of the data set, whole or not at all; `make` gets the path to write."""

SMALLEST = 64
"""Short side in pixels below which pictures are refused."""
_SAMPLES, _SAMPLE_SIDE = 7, 128
_AFTER_CUT = Fraction(1, 10)
"""Seconds after a cut before the first picture is taken: encoders smear the first ones."""


@dataclass
class Maker:
    """Makes the files of one source.

    Attributes:
        key: begins the names of its files.
        item: the source.
        settings: of the data set.
        seen: pictures that the data set has already; those of this source are added.
        write: writes a file of the data set.
        out: what is made, filled in as it goes.

    """

    key: str
    item: Item
    settings: Settings
    seen: Seen
    write: Write
    out: Outcome = field(init=False)
    _start: Fraction | None = None  # of the soundtrack, on the container's clock

    def __post_init__(self) -> None:
        self.out = Outcome(self.item.name, class_id=self.item.class_id, split=self.item.split)

    def make(self, kind: Kind) -> Outcome:
        """Make everything. Raises InputError where nothing of the source can be used, OutputError."""
        self.out.kind = kind
        if kind == "photo":
            self._photo()
        elif kind == "sound":
            self._sound()
        else:
            self._video()
        return self.out

    def _photo(self) -> None:
        frame, geometry = photo(self.item.path)
        whole = Renderer(geometry, Box(), fit(geometry.shown, _SAMPLE_SIDE))(frame)
        size = self._choose(geometry, [whole], Box())
        self.out.transfer, self.out.looked_at = NAMES.get(frame.color_trc, ""), 1
        self._keep_photo(Renderer(geometry, self.out.box, size)(frame), f"photos/{self.key}.jpg")

    def _choose(self, geometry: Geometry, samples: list[Picture], inside: Box) -> tuple[int, int]:
        """Choose the crop; returns the size of the photos."""
        shown, aspect = geometry.shown, self.settings.ratio
        self.out.shown, self.out.turned = shown, geometry.turns != 0
        self.out.box = choose_crop(shown, inside, aspect, samples)
        size = crop_size(shown, self.out.box, aspect, self.settings.size)
        if min(size) < SMALLEST:
            message = (
                f"{self.item.name} has {shown[0]} x {shown[1]} pixels, too few for a crop of {self.settings.aspect}"
            )
            raise InputError(message, f"Give pictures with a short side of {SMALLEST} pixels and more.")
        return size

    def _keep_photo(self, picture: Picture, file: str, time: Fraction = Fraction(0), sample: int | None = None) -> None:
        """Write a picture unless it shows nothing, or the same as one before; time: in s after the first picture."""
        if is_flat(picture):
            self.out.flat += 1
            return
        look: Look = look_of(picture)
        if self.seen.has_like(look):
            self.out.duplicates += 1
            return
        data = jpeg(picture)
        self.write(file, lambda part: _write_bytes(part, data))
        self.seen.add(look)
        self.out.photos.append(PhotoMade(file, round(float(time), 3), sample, look.bits, look.colours))

    def _sample(self, time: Fraction) -> int | None:
        """Position in the soundtrack at a time of the container."""
        return None if self._start is None else round((time - self._start) * SAMPLE_RATE)

    def _sound(self) -> Soundtrack:
        file, made = f"audio/{self.item.class_id}/{self.key}.flac", list[Soundtrack]()
        self.write(file, lambda part: made.append(write_soundtrack(part, self.item.path)))
        self.out.sound = SoundMade(file, made[0].samples, made[0].rate)
        self.out.problem = made[0].problem
        return made[0]

    def _video(self) -> None:
        film = Film(self.item.path)
        self.out.transfer = NAMES.get(film.transfer, "")
        whole = Renderer(film.geometry, Box(), fit(film.geometry.shown, _SAMPLE_SIDE))
        samples = [whole(frame) for frame in film.samples(_SAMPLES)]
        size = self._choose(film.geometry, samples, without_borders(samples))
        try:
            self._start = self._sound().start
        except InputError as error:
            self.out.no_sound = error.message.removeprefix(f"{self.item.path} ")
        self._pictures(film, Renderer(film.geometry, self.out.box, size))
        problems = [text for text in (film.problem, self.out.problem) if text]
        self.out.problem = ", ".join(problems)

    def _pictures(self, film: Film, large: Renderer) -> None:
        """One pass through the video: shots, photos, clips."""
        plan = _ClipPlan(self.settings, film.seconds)
        small = Renderer(film.geometry, self.out.box, self.settings.clip_size)
        first = last = due = None
        shot, steps = -1, set[Fraction]()
        for seen in in_shots(_rendered(film, small)):
            if last is not None and len(steps) < 50:
                steps.add(seen.time - last)
            first, last = seen.time if first is None else first, seen.time
            if seen.shot != shot:
                shot, due = seen.shot, seen.time + _AFTER_CUT
                self._keep_clips(plan.end_of_shot())
            self._keep_clips(plan.push(seen))
            if due is not None and seen.time >= due:
                due = seen.time + Fraction(self.settings.every).limit_denominator(1000)
                self.out.looked_at += 1
                at = seen.time - first
                file = f"photos/{self.key}-{round(at * 1000):08}ms.jpg"
                self._keep_photo(large(seen.more), file, at, self._sample(seen.time))
        self._keep_clips(plan.end_of_shot())
        if first is not None and last is not None:
            if self.out.sound and self._start is not None:
                self.out.sound = replace(self.out.sound, late=round(float(self._start - first), 3))
            self.out.seconds, self.out.shots = float(last - first), shot + 1
        self.out.varying = bool(steps) and max(steps) > min(steps) * Fraction(6, 5) + Fraction(1, 500)

    def _keep_clips(self, stretches: list[Stretch]) -> None:
        for stretch in stretches:
            if not stretch.moves:
                self.out.still += 1
                continue
            file = f"clips/{self.key}-{len(self.out.clips):04}.mkv"
            self.write(file, lambda part, frames=stretch.frames: write_clip(part, frames))
            self.out.clips.append(ClipMade(file, len(stretch.frames), self._sample(stretch.time)))


class _ClipPlan:
    """Cuts shots into stretches, and keeps as many of a long film as the settings allow, evenly over it."""

    def __init__(self, settings: Settings, seconds: float | None) -> None:
        self._length = max(1, round(settings.clip_seconds * RATE))
        self._grid = ClipGrid(self._length)
        possible = (seconds or 0) / settings.clip_seconds
        self._every = max(1.0, possible / settings.clips) if settings.clips else 0.0
        self._most, self._count, self._kept = settings.clips, 0, 0

    def push(self, seen: InShot[VideoFrame]) -> list[Stretch]:
        return self._chosen(self._grid.push(seen.time, seen.picture)) if self._most else []

    def end_of_shot(self) -> list[Stretch]:
        return self._chosen(self._grid.end()) if self._most else []

    def _chosen(self, stretches: list[Stretch]) -> list[Stretch]:
        out = []
        for stretch in stretches:
            if self._kept < self._most and self._count >= self._kept * self._every:
                out.append(stretch)
                self._kept += 1
            self._count += 1
        return out


def _rendered(film: Film, small: Renderer) -> Iterator[tuple[Fraction, Picture, VideoFrame]]:
    frames = deinterlaced(film.frames()) if film.interlaced else film.frames()
    for time, frame in frames:
        yield time, small(frame), frame


def _write_bytes(part: Path, data: bytes) -> None:
    with translated(part):
        part.write_bytes(data)
