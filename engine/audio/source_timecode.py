"""The timecode that a sound's file states for its second 0: of cameras, recorders and editing programs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from threading import Event

from av.container import InputContainer
from av.video.stream import VideoStream

from .decode import open_track
from .read_ahead import read_once


@dataclass(frozen=True)
class SourceTimecode:
    """A timecode as a file states it.

    Attributes:
        label: hours, minutes, seconds, and the part of the second, 0 to 1, that its frames are.
        drop: drop-frame.
        fps: the file's frames a second; None of a sound file, whose timecode counts samples.

    """

    label: tuple[int, int, int, Fraction]
    drop: bool
    fps: Fraction | None


def source_timecode(path: Path) -> SourceTimecode | None:
    """The timecode of a file's second 0; None if it states none.

    QuickTime's and MXF's timecode tracks, the TIMECODE tag of Matroska, and the time reference of Broadcast Wave (EBU
    Tech 3285), which is in samples since midnight.
    """

    def read(ended: Event) -> SourceTimecode | None:
        with open_track(path, None, ended) as (container, stream, form):
            reference = container.metadata.get("time_reference", stream.metadata.get("time_reference", ""))
            if reference.isascii() and reference.isdigit():
                return _of_samples(Fraction(int(reference), form.rate))
            return _of_pictures(container)

    return read_once(read)


def _of_samples(since_midnight: Fraction) -> SourceTimecode | None:
    whole, part = divmod(since_midnight, 1)
    if whole >= 24 * 3600:
        return None
    return SourceTimecode((whole // 3600, whole // 60 % 60, whole % 60, part), False, None)


def _of_pictures(container: InputContainer) -> SourceTimecode | None:
    every = [*container.streams.video, *container.streams.data, *container.streams]
    texts = [stream.metadata for stream in every] + [container.metadata]
    text = next((text for one in texts for name, text in one.items() if name.lower() == "timecode"), "")
    match = re.fullmatch(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)", text)
    video = container.streams.best("video")
    if match is None or not isinstance(video, VideoStream) or not video.guessed_rate:
        return None
    fps = Fraction(video.guessed_rate)
    hours, minutes, seconds, frames = (int(match[i]) for i in (1, 2, 3, 5))
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= round(fps):
        return None
    return SourceTimecode((hours, minutes, seconds, Fraction(frames, round(fps))), match[4] != ":", fps)
