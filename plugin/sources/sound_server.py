"""Inputs and outputs as PulseAudio, PipeWire, WASAPI and Core Audio know them, through the package soundcard."""

from __future__ import annotations

import sys
import time
from typing import Any

from ...engine.errors import SonoramaError
from ...engine.units import SAMPLE_RATE
from .channels import check_channels
from .child_process import Opened, Write

BLOCK = 441
NO_SERVER = (OSError, ImportError, RuntimeError, IndexError, AssertionError)
"""What soundcard raises where no sound server answers."""
_HINT = "Start PulseAudio or PipeWire; on Debian and Ubuntu: apt-get install pulseaudio"


def load() -> Any:
    """The package, which connects to the sound server as it is imported.

    Raises:
        SonoramaError: no sound server answers.

    """
    try:
        import soundcard
    except NO_SERVER as error:
        raise unanswered(error) from error
    return soundcard


def unanswered(error: BaseException) -> SonoramaError:
    """The error of a sound server that does not answer."""
    reason = f" ({error})" if str(error) else ""
    return SonoramaError(f"The sound server does not answer{reason}", _HINT)


def microphones() -> list[Any]:
    """The inputs of the sound server of Linux, with their real names; none elsewhere, where PortAudio has those, and
    none without a server.
    """
    if sys.platform != "linux":
        return []
    try:
        return list(load().all_microphones(include_loopback=False))
    except (SonoramaError, *NO_SERVER):
        return []


def has_monitors_only() -> bool:
    """Whether a sound server of Linux answers that has no input but the monitors of its outputs."""
    if sys.platform != "linux":
        return False
    try:
        found = load().all_microphones(include_loopback=True)
    except (SonoramaError, *NO_SERVER):
        return False
    return bool(found) and all(one.isloopback for one in found)


def default_microphone() -> tuple[str, str]:
    """(id, name) of the input that the sound server uses by default; empty if there is none."""
    try:
        found = load().default_microphone()
    except (SonoramaError, *NO_SERVER):
        return "", ""
    return str(found.id), str(found.name)


def record(device: Any, picked: tuple[int, ...]) -> Opened:
    """Open and start an input or a loopback of soundcard.

    Raises:
        SonoramaError: no such channel, or the sound server does not answer.

    """
    use = check_channels(picked, device.channels, device.name)
    try:
        recorder = device.recorder(SAMPLE_RATE, channels=device.channels, blocksize=BLOCK).__enter__()
    except NO_SERVER as error:
        raise unanswered(error) from error

    def deliver(write: Write) -> None:
        while True:
            data = recorder.record(None)
            write(data[:, use].T, time.monotonic_ns())

    return SAMPLE_RATE, len(use), str(device.name), deliver
