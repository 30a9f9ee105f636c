"""MIDI as a bridge: the entry point `midi` of `sonorama.bridges`."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sonorama.engine.control import presets
from sonorama.engine.control.parameters import Value
from sonorama.engine.errors import SonoramaError, needing_extra
from sonorama.engine.plugins.interfaces import Available, BridgePort, Missing

from ...arguments import Words

if TYPE_CHECKING:
    from .worker import Worker

WORDS = ("port", "virtual", "api", "file")


def probe() -> Available | Missing:
    """Whether the libraries are installed."""
    if importlib.util.find_spec("mido") is None or importlib.util.find_spec("rtmidi") is None:
        return Missing("mido or python-rtmidi is missing", "pip install 'sonorama[midi]'")
    return Available(
        "controllers, lights, clock and timecode; midi:NAME for one controller, midi:virtual=1 for a port of its own"
    )


class MidiBridge:
    """MIDI controllers and clocks.

    Args:
        argument: part of a port's name, or `port=NAME&port=OTHER&virtual=1&api=jack&file=PATH`, each optional. Without
            a port, all that are there and come later. virtual: 1 opens ports that other programs connect to. api:
            alsa, jack, core or winmm. file: of the mappings; by default one for each show name, beside its scenes.

    Raises:
        SonoramaError: an unknown word, or a value that is none.

    """

    def __init__(self, argument: str) -> None:
        words = Words("The bridge midi", argument, WORDS, alone="port")
        self._wanted = [part for part in words.all("port") if part]
        self._virtual, self._api = words.switch("virtual"), words.last("api", "")
        self._file = words.last("file", "")
        self._worker: Worker | None = None

    @property
    def facts(self) -> Mapping[str, Value]:
        """midi_ports: inputs that are open. midi_mappings: how many. midi_file: of the mappings. midi_learned: the last
        one in words. midi_timecode: the last timecode that was heard.
        """
        return {} if self._worker is None else self._worker.facts

    def start(self, port: BridgePort) -> None:
        """Open the ports that are there; others are opened when they come.

        Raises:
            SonoramaError: the libraries are not installed, the file's folder is missing, or there is no MIDI here.

        """
        with needing_extra():
            from .worker import Worker

        if self._file and not Path(self._file).absolute().parent.is_dir():
            parent = Path(self._file).absolute().parent
            raise SonoramaError(f"There is no folder {parent} for the MIDI mappings", "Create it, or change file=.")
        path = Path(self._file) if self._file else presets.folder() / f"{presets.preset_name(port.name)}.midi.json"
        self._worker = Worker(port, path, self._wanted, self._virtual, self._api)
        self._worker.start()

    def faults(self) -> Iterable[str]:
        """Ports that are not there, and what went wrong lately."""
        return [] if self._worker is None else self._worker.problems()

    def stop(self) -> None:
        """End the threads and close the ports."""
        if self._worker is not None:
            self._worker.close()
