"""A JACK server of a test, and a controller made of real ports of the driver."""

import os
import secrets
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import mido
import pytest
import rtmidi as compiled_module

from ...speed import slowness

rtmidi: Any = compiled_module
PATIENCE_S = 20 * slowness()


class Jack:
    """`jackd` with its dummy driver, under a name of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert shutil.which("jackd"), "jackd is missing: apt-get install jackd2"
        self.name = f"sonorama-test-{os.getpid()}-{secrets.token_hex(3)}"
        monkeypatch.setenv("JACK_DEFAULT_SERVER", self.name)
        monkeypatch.setenv("JACK_NO_START_SERVER", "1")
        command = ["jackd", "-r", "-S", "-t", "20000", "-n", self.name, "-d", "dummy", "-r", "48000", "-p", "256"]
        with (folder / "jackd.log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert self.process.poll() is None, (folder / "jackd.log").read_text()
            assert time.monotonic() < end, "jackd does not start"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name="probe").delete()
        except rtmidi.SystemError:
            return False
        return True

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Controller:
    """Knobs and lights of a device `name`; `unplug` takes it away."""

    def __init__(self, name: str) -> None:
        self._out = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name=name)
        self._out.open_virtual_port("midi")
        self._in = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name=name)
        self._in.ignore_types(timing=False)
        self._lit: list[str] = []
        self._in.open_virtual_port("midi")

    @property
    def lit(self) -> list[str]:
        """What was sent to it; fetched, since a callback may wait for the interpreter while a port is closed."""
        while (event := self._in.get_message()) is not None:
            self._lit.append(str(mido.Message.from_bytes(event[0])))
        return self._lit

    def send(self, *messages: str) -> None:
        for text in messages:
            self._out.send_message(mido.Message.from_str(text).bytes())
            time.sleep(0.002)

    def unplug(self) -> None:
        for port in (self._out, self._in):
            port.close_port()
            port.delete()


def until(true: Any, what: str, again: Any = None) -> None:
    """Wait; `again` is done once a second, since a driver loses messages where a process is late."""
    end, due = time.monotonic() + PATIENCE_S, time.monotonic()
    while not true():
        assert time.monotonic() < end, what
        if again is not None and time.monotonic() >= due:
            again()
            due = time.monotonic() + 1.0
        time.sleep(0.01)
