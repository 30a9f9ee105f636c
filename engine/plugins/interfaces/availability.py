"""What a plug-in answers when it is asked whether it can run on this machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Available:
    """The plug-in can run here. about: one line on what it found, such as a device or a version; may be empty."""

    about: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """The plug-in cannot run here: why, and how to get what is missing, one line each."""

    reason: str
    how_to_install: str
