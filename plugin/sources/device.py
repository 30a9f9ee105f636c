"""The source `device[:NAME][#CHANNELS]`: a microphone or line input, through PortAudio."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ...engine.errors import SonoramaError
from ...engine.plugins.interfaces import Available, Missing
from ...engine.units import Samples
from .channels import check_channels, split_channels
from .child_process import ChildSource, Opened, Write, serve

_PORTAUDIO = "Install PortAudio; on Debian and Ubuntu: apt-get install libportaudio2 libasound2-plugins"


def probe() -> Available | Missing:
    """Whether PortAudio is installed and finds an input."""
    try:
        names = [device["name"] for _, device in _inputs(_sounddevice())]
    except SonoramaError as error:
        return Missing(error.message, error.hint)
    return Available(", ".join(names)) if names else Missing("no sound input", "Connect a microphone or an interface.")


class DeviceSource(ChildSource):
    """A sound input of this computer.

    Args:
        argument: empty for the system's default, a device's number, or part of its name; `#3,4` selects channels.

    Raises:
        SonoramaError: the channels are not valid.

    """

    def __init__(self, argument: str = "") -> None:
        split_channels(argument)
        super().__init__(__name__, argument)


def _sounddevice() -> Any:
    try:
        import sounddevice  # imported here because it fails without PortAudio
    except (OSError, ImportError) as error:
        raise SonoramaError(f"PortAudio is missing ({error})", _PORTAUDIO) from error
    return sounddevice


def _inputs(sounddevice: Any) -> list[tuple[int, dict[str, Any]]]:
    return [(i, device) for i, device in enumerate(sounddevice.query_devices()) if device["max_input_channels"] > 0]


def _find(sounddevice: Any, name: str) -> tuple[int, dict[str, Any]]:
    """Number and properties of the device `name`."""
    inputs = _inputs(sounddevice)
    if not inputs:
        raise SonoramaError("There is no sound input on this computer", f"Connect one. {_PORTAUDIO}")
    default = sounddevice.default.device[0]
    if not name:
        return next((pair for pair in inputs if pair[0] == default), inputs[0])
    if name.isdecimal():
        found = [pair for pair in enumerate(sounddevice.query_devices()) if pair[0] == int(name)]
    else:
        exact = [pair for pair in inputs if pair[1]["name"].lower() == name.lower()]
        found = exact or [pair for pair in inputs if name.lower() in pair[1]["name"].lower()]
    if not found:
        available = "; ".join(f"{i} {device['name']}" for i, device in inputs)
        raise SonoramaError(f"There is no sound input {name!r}", f"Available inputs: {available}")
    return found[0]


def listen(argument: str) -> Opened:
    """Open and start the device; runs in the child process.

    Raises:
        SonoramaError: PortAudio is missing, there is no such device or channel, or it cannot be opened.

    """
    name, picked = split_channels(argument)
    sounddevice = _sounddevice()
    index, device = _find(sounddevice, name)
    use = check_channels(picked, device["max_input_channels"], device["name"])
    writers: list[Write] = []  # none until the ring exists: the rate must be known first

    def callback(data: Samples, frames: int, times: Any, _: object) -> None:
        # ALSA's PulseAudio plug-in reports up to 0.7 s at first; no block is older than the stream's latency.
        age = times.currentTime - times.inputBufferAdcTime - frames / rate
        age_ns = round(min(max(age, 0.0), stream.latency) * 1e9)
        for write in writers:
            write(data[:, use].T, time.monotonic_ns() - age_ns)

    try:
        stream = sounddevice.InputStream(
            device=index, channels=max(use) + 1, dtype=np.float32, latency="low", callback=callback
        )
        rate = round(stream.samplerate)
        stream.start()
    except sounddevice.PortAudioError as error:
        hint = "Another program may be using it; close that, or choose another device."
        raise SonoramaError(f"{device['name']} cannot be opened: {error}", hint) from error

    def deliver(write: Write) -> None:
        writers.append(write)
        while stream.active:
            time.sleep(0.25)

    return rate, len(use), device["name"], deliver


if __name__ == "__main__":
    serve(listen)
