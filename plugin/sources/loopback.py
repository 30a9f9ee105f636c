"""`loopback[:NAME][#CHANNELS]`: what this computer plays, through its loopback or monitor."""

from __future__ import annotations

import platform
import time
from typing import Any

from ...engine.audio.sample_ring import RATE
from ...engine.errors import SonoramaError
from ...engine.plugins.interfaces import Available, Missing, Samples
from .channels import check_channels, split_channels
from .child_process import ChildSource, Opened, serve

_BLOCK = 441
_ON_MACOS = "macOS has none of its own: install BlackHole, then use --source device:BlackHole"


def probe() -> Available | Missing:
    """Whether the child process finds something to listen to; starts one for a moment."""
    source = LoopbackSource()
    try:
        source.start(lambda block, captured_ns: None)
    except SonoramaError as error:
        return Missing(error.message, error.hint)
    finally:
        source.stop()
    return Available(source.name)


class LoopbackSource(ChildSource):
    """What a loudspeaker output plays.

    Args:
        argument: empty for the default output, or a part of an output's name; then `#3,4` picks channels.

    Raises:
        SonoramaError: channels that cannot be.

    """

    def __init__(self, argument: str = "") -> None:
        split_channels(argument)
        super().__init__(__name__, argument)


def _find(soundcard: Any, name: str) -> Any:
    """The loopback of the output that `name` means."""
    loops = [one for one in soundcard.all_microphones(include_loopback=True) if one.isloopback]
    if not loops:
        hint = _ON_MACOS if platform.system() == "Darwin" else "Check that a sound output is there and switched on."
        raise SonoramaError("There is no output to listen to on this computer", hint)
    if not name:
        speaker = soundcard.default_speaker()
        own = [one for one in loops if one.id in (speaker.id, f"{speaker.id}.monitor")]
        return (own or loops)[0]
    found = [one for one in loops if name.lower() in f"{one.name}\n{one.id}".lower()]
    if not found:
        there = "; ".join(one.name for one in loops)
        raise SonoramaError(f"There is no output {name!r} to listen to", f"There are: {there}")
    return found[0]


def listen(argument: str) -> Opened:
    """In the child: open the loopback and start it.

    Raises:
        SonoramaError: no sound server, no such output or channel, or it cannot be opened.

    """
    name, picked = split_channels(argument)
    try:
        import soundcard  # only here: it connects to the sound server when it loads

        device = _find(soundcard, name)
        use = check_channels(picked, device.channels, device.name)
        recorder = device.recorder(RATE, channels=device.channels, blocksize=_BLOCK).__enter__()
    except (OSError, ImportError, RuntimeError, IndexError, AssertionError) as error:
        hint = "Start PulseAudio or PipeWire; on Debian and Ubuntu: apt-get install pulseaudio"
        raise SonoramaError(f"The sound server does not answer ({str(error) or type(error).__name__})", hint) from error

    def following() -> tuple[Samples, int]:
        data = recorder.record(None)
        return data[:, use].T, time.monotonic_ns()

    return RATE, len(use), device.name, following


if __name__ == "__main__":
    serve(listen)
