"""The inputs of this computer, each with its real name, its channels and how loud they are now.

Run as a program it prints a JSON array of `Input` objects and, with `--levels`, ten times a second a JSON object of
`spec` -> peaks 0..1 of its channels, until its standard input is closed. It is a process of its own because drivers may
hang, and because one that sees new devices has to be started anew.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...engine.errors import SonoramaError
from .device import numbered_inputs, open_stream
from .sound_server import NO_SERVER, default_microphone, microphones

LEVELS_S = 0.1
RATE, BLOCK = 16_000, 800
MOST_CHANNELS = 64
Peaks = Callable[[str, np.ndarray], None]
"""(spec, samples [n, channels]) of a block."""


@dataclass(frozen=True)
class Input:
    """An input of this computer.

    Attributes:
        spec: what `--source` and `/sound/input` take, such as `device:USB Audio`.
        name: as its maker or the sound server calls it.
        id: tells inputs of equal names apart; empty if the name is the only one.
        channels: how many it has.
        default: whether it is the one used without a choice.

    """

    spec: str
    name: str
    id: str
    channels: int
    default: bool


def list_inputs() -> list[Input]:
    """All inputs: those of the sound server where there is one, else those of PortAudio."""
    if found := microphones():
        first, _ = default_microphone()
        rows = [(str(one.id), str(one.name), int(one.channels), one.id == first) for one in found]
        names = Counter(name for _, name, _, _ in rows)
        return [
            Input(f"device:{key}", name, key if names[name] > 1 else "", channels, default)
            for key, name, channels, default in rows
        ]
    try:
        rows = numbered_inputs()
    except SonoramaError:
        return []
    return [
        Input(f"device:{key}", name, key if key != name else "", channels, default)
        for key, name, channels, default in rows
    ]


def main() -> None:
    """List the inputs, then their levels if asked."""
    inputs = list_inputs()
    _print([asdict(one) for one in inputs])
    if "--levels" in sys.argv[1:]:
        threading.Thread(target=_leave_with_parent, daemon=True).start()
        _print_levels(inputs)


def _print(said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _leave_with_parent() -> None:
    os.read(0, 1)
    os._exit(0)


def _print_levels(inputs: Iterable[Input]) -> None:
    levels: dict[str, np.ndarray] = {}

    def take(spec: str, block: np.ndarray) -> None:
        peaks = np.nan_to_num(np.abs(block).max(axis=0, initial=0.0))[:MOST_CHANNELS]
        held = levels.get(spec)
        levels[spec] = peaks if held is None or held.shape != peaks.shape else np.maximum(held, peaks)

    servers = {f"device:{one.id}": one for one in microphones()}
    for one in inputs:
        device = servers.get(one.spec)
        run, what = (_listen_to_server, device) if device is not None else (_listen_to_portaudio, one)
        threading.Thread(target=run, args=(one.spec, what, take), daemon=True).start()
    while True:
        time.sleep(LEVELS_S)
        said, levels = levels, {}
        _print({spec: [round(float(peak), 4) for peak in peaks] for spec, peaks in said.items()})


def _listen_to_server(spec: str, device: Any, take: Peaks) -> None:
    try:
        with device.recorder(RATE, channels=device.channels, blocksize=BLOCK) as recorder:
            while True:
                take(spec, recorder.record(None))
    except NO_SERVER:
        return  # it has no level: another program has it, or it is gone


def _listen_to_portaudio(spec: str, one: Input, take: Peaks) -> None:
    try:
        with open_stream(spec.removeprefix("device:"), lambda block: take(spec, block)):
            threading.Event().wait()
    except SonoramaError:
        return


if __name__ == "__main__":
    main()
