"""The parameters of an external clock, and of what sets it."""

from __future__ import annotations

from collections.abc import Iterator

from .parameters import Parameter

LAUNCHES = ("off", "scenes", "cues")
"""Choices of `/ableton/launch`."""
TIMECODES = ("off", "midi", "ltc")
"""Choices of `/timecode/source`."""


def clock_parameters() -> Iterator[Parameter]:
    """The external clock."""
    yield Parameter(
        "/clock/bpm", 0.0, "Tempo of the external clock; 0: there is none, or it has stopped.", 0.0, 400.0, "BPM",
        live=True,
    )  # fmt: skip
    yield Parameter(
        "/clock/origin", 0.0, "Second of the show's sound at which beat 0 of the external clock was or would be.",
        -1e6, 1e7, "s", live=True,
    )  # fmt: skip


def ableton_parameters() -> Iterator[Parameter]:
    """What Ableton Live does in a show."""
    yield Parameter(
        "/ableton/launch", "off", "What a launch in Ableton Live does: recall the scene of its number (scenes), or "
        "play the cue of its number (cues).", choices=LAUNCHES, live=True,
    )  # fmt: skip
    yield Parameter(
        "/ableton/track", 0, "Track of Ableton Live whose clips are the launches, by their slots; 0: Live's scenes.",
        0, 999, live=True,
    )  # fmt: skip


def timecode_parameters() -> Iterator[Parameter]:
    """Timecode that the cue list follows."""
    yield Parameter(
        "/timecode/source", "off", "Timecode that the cue list's times of the sound follow, of the bridge midi or ltc; "
        "off: they are those of the sound file.", choices=TIMECODES, live=True,
    )  # fmt: skip
    yield Parameter(
        "/timecode/offset", 0.0, "Timecode at which the cue list's time is 0, such as 3600 for 01:00:00:00.",
        0.0, 86_400.0, "s", live=True,
    )  # fmt: skip
    yield Parameter("/timecode/running", False, "Whether the timecode runs; its bridge says so.", live=True)
    yield Parameter(
        "/timecode/origin", 0.0, "Second of the show's sound at which the timecode was or would be 00:00:00:00.",
        -1e6, 1e7, "s", live=True,
    )  # fmt: skip
