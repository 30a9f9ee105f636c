"""The source `device[:NAME][#CHANNELS]`: a microphone or line input, through PortAudio."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from ...engine.errors import SonoramaError
from ...engine.plugins.interfaces import Available, Missing
from ...engine.units import Samples
from ...engine.whole_numbers import whole_number
from .channels import check_channels, split_channels
from .child_process import ChildSource, Opened, Write, serve
from .sound_server import default_microphone, has_monitors_only, microphones, record

DEFAULT_S = 2.0
"""Seconds between two looks at what the default input is."""
_PLUGINS = ("default", "pulse", "pipewire")
"""PortAudio's names for whatever the sound server of Linux uses by default."""
_NONE = "There is no sound input on this computer"
_CONNECT = "Connect a microphone or an interface."
_PLAYED = "What this computer plays itself is under loopback."
_PORTAUDIO = "Install PortAudio; on Debian and Ubuntu: apt-get install libportaudio2 libasound2-plugins"


def probe() -> Available | Missing:
    """Whether PortAudio is installed and finds an input."""
    try:
        names = [device.name for device in microphones()] or [name for _, name, _, _ in numbered_inputs()]
    except SonoramaError as error:
        return Missing(error.message, error.hint)
    return Available(", ".join(names)) if names else Missing(_NONE, f"{_CONNECT} {_PLAYED}")


class DeviceSource(ChildSource):
    """A sound input of this computer.

    Args:
        argument: empty for the system's default, a device's number, id or part of its name; of several devices of
            that name `NAME@2` is the second; `#3,4` selects channels.

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


def _real(inputs: list[tuple[int, dict[str, Any]]]) -> list[tuple[int, dict[str, Any]]]:
    """Those that are inputs. PortAudio's devices of a sound server without any hear what the computer plays; they can
    be opened by name, but are listed nowhere.
    """
    if not has_monitors_only():
        return inputs
    return [(index, one) for index, one in inputs if one["name"] not in _PLUGINS]


def _find(sounddevice: Any, name: str) -> tuple[int, dict[str, Any]]:
    """Number and properties of the device `name`."""
    inputs = _inputs(sounddevice)
    if not inputs:
        raise SonoramaError(_NONE, f"{_CONNECT} {_PORTAUDIO}")
    default = sounddevice.default.device[0]
    if not name:
        return next((pair for pair in inputs if pair[0] == default), inputs[0])
    if name.isdecimal():
        devices = list(enumerate(sounddevice.query_devices()))
        number = whole_number(name, 0, len(devices))
        found = [pair for pair in devices if pair[0] == number]
    else:
        keyed = [pair for pair, key in zip(inputs, _keys(inputs), strict=True) if key == name]
        exact = keyed or [pair for pair in inputs if pair[1]["name"].lower() == name.lower()]
        found = exact or [pair for pair in inputs if name.lower() in pair[1]["name"].lower()]
    if not found:
        servers = [f"{one.name} ({one.id})" for one in microphones()]
        available = "; ".join((*servers, *(f"{i} {device['name']}" for i, device in _real(inputs))))
        hint = f"Available inputs: {available}" if available else f"This computer has none. {_PLAYED}"
        raise SonoramaError(f"There is no sound input {name!r}", hint)
    return found[0]


def _keys(inputs: list[tuple[int, dict[str, Any]]]) -> list[str]:
    """What each input is asked for by: its name, with `@2` and so on behind further ones of the same name."""
    seen: Counter[str] = Counter()
    keys = []
    for _, device in inputs:
        seen[device["name"]] += 1
        keys.append(f"{device['name']}@{seen[device['name']]}" if seen[device["name"]] > 1 else device["name"])
    return keys


def numbered_inputs() -> list[tuple[str, str, int, bool]]:
    """(key, name, channels, whether it is the default) of the inputs that PortAudio finds.

    Raises:
        SonoramaError: PortAudio is missing.

    """
    sounddevice = _sounddevice()
    inputs, default = _real(_inputs(sounddevice)), sounddevice.default.device[0]
    return [
        (key, device["name"], device["max_input_channels"], index == default)
        for key, (index, device) in zip(_keys(inputs), inputs, strict=True)
    ]


def open_stream(name: str, take: Callable[[Samples], None]) -> Any:
    """A stream of all channels of an input, as a context; `take` gets every block [n, channels].

    Raises:
        SonoramaError: PortAudio is missing, there is no such device, or it cannot be opened.

    """
    sounddevice = _sounddevice()
    index, device = _find(sounddevice, name)
    try:
        return sounddevice.InputStream(
            device=index,
            channels=device["max_input_channels"],
            dtype=np.float32,
            callback=lambda data, *_: take(data),
        )
    except sounddevice.PortAudioError as error:
        raise SonoramaError(
            f"{device['name']} cannot be opened: {error}", "Another program may be using it."
        ) from error


def _of_server(name: str) -> Any | None:
    """The sound server's input of this id, name or part of a name; None if there is none."""
    found, word = microphones(), name.lower()
    for same in (
        lambda one: one.id == name,
        lambda one: one.name.lower() == word,
        lambda one: word in one.name.lower(),
    ):
        if matching := [one for one in found if same(one)]:
            return matching[0]
    return None


def listen(argument: str) -> Opened:
    """Open and start the device; runs in the child process.

    Raises:
        SonoramaError: PortAudio is missing, there is no such device or channel, or it cannot be opened.

    """
    name, picked = split_channels(argument)
    if name and not name.isdecimal() and name not in _PLUGINS and (found := _of_server(name)) is not None:
        return record(found, picked)
    sounddevice = _sounddevice()
    index, device = _find(sounddevice, name)
    default, real = default_microphone() if device["name"] in _PLUGINS and sys.platform == "linux" else ("", "")
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
        look_at = time.monotonic() + DEFAULT_S
        while stream.active:
            time.sleep(0.25)
            if default and time.monotonic() >= look_at:
                look_at = time.monotonic() + DEFAULT_S
                if default_microphone()[0] not in ("", default):
                    return  # it is opened anew, under its new name

    return rate, len(use), real or device["name"], deliver


if __name__ == "__main__":
    serve(listen)
