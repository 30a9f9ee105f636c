"""The source `loopback[:NAME][#CHANNELS]`: the sound this computer plays, from an output's loopback or monitor."""

from __future__ import annotations

import platform
from typing import Any

from ...engine.errors import SonoramaError
from ...engine.plugins.interfaces import Available, Missing
from .channels import split_channels
from .child_process import ChildSource, Opened, serve
from .sound_server import NO_SERVER, load, record, unanswered

_ON_MACOS = "macOS has no loopback: install BlackHole, then use --source device:BlackHole"


def probe() -> Available | Missing:
    """Whether there is an output to capture; starts the child process briefly."""
    source = LoopbackSource()
    try:
        source.start(lambda block, captured_ns: None)
    except SonoramaError as error:
        return Missing(error.message, error.hint)
    finally:
        source.stop()
    return Available(source.name)


class LoopbackSource(ChildSource):
    """The sound played on an output of this computer.

    Args:
        argument: empty for the default output, or part of an output's name; `#3,4` selects channels.

    Raises:
        SonoramaError: the channels are not valid.

    """

    def __init__(self, argument: str = "") -> None:
        split_channels(argument)
        super().__init__(__name__, argument)


def _find(soundcard: Any, name: str) -> Any:
    """The loopback device of the output `name`."""
    loops = [one for one in soundcard.all_microphones(include_loopback=True) if one.isloopback]
    if not loops:
        hint = _ON_MACOS if platform.system() == "Darwin" else "Check that a sound output is connected and switched on."
        raise SonoramaError("There is no sound output to capture on this computer", hint)
    if not name:
        speaker = soundcard.default_speaker()
        own = [one for one in loops if one.id in (speaker.id, f"{speaker.id}.monitor")]
        return (own or loops)[0]
    found = [one for one in loops if name.lower() in f"{one.name}\n{one.id}".lower()]
    if not found:
        available = "; ".join(one.name for one in loops)
        raise SonoramaError(f"There is no sound output {name!r}", f"Available outputs: {available}")
    return found[0]


def listen(argument: str) -> Opened:
    """Open and start the loopback; runs in the child process.

    Raises:
        SonoramaError: there is no sound server, no such output or channel, or it cannot be opened.

    """
    name, picked = split_channels(argument)
    try:
        device = _find(load(), name)
    except NO_SERVER as error:
        raise unanswered(error) from error
    return record(device, picked)


if __name__ == "__main__":
    serve(listen)
