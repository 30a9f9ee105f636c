"""A machine with OLA, the Open Lighting Architecture, at the other end of a network cable.

`python -m tests.plugin.dmx.ola` runs in a network of its own (`unshare -n`) and plays both ways with it: OLA's levels
reach the parameters, and the picture's colours reach OLA, over Art-Net and over sACN.
"""

import json
import os
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from sonorama.engine.plugins.interfaces import FrameSink, Picture
from sonorama.engine.plugins.registry import BRIDGES, SINKS, make

from ...speed import slowness
from ..midi.controls import Show
from ..sinks import info

THEIRS, OURS = "10.9.0.1", "10.9.0.2"
PATIENCE_S = 30 * slowness()
NOBODY = 65534
"""olad refuses to run as root."""
PLUGINS = """
    dummy espnet ftdidmx gpio karate kinet milinst nanoleaf opendmx openpixelcontrol osc pathport renard sandnet shownet
    spi spidmx stageprofi uartdmx usbdmx usbpro usbserial
"""
SETTINGS = {
    **{name: {"enabled": "false"} for name in PLUGINS.split()},
    "artnet": {"enabled": "true", "ip": THEIRS, "output_ports": "2", "long_name": "OLA", "short_name": "OLA"},
    "e131": {"enabled": "true", "ip": THEIRS, "input_ports": "2", "output_ports": "2"},
}


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@contextmanager
def cable() -> Iterator[str]:
    """Another network, joined to ours by a cable; process number of a program that lives in it."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "ours", "type", "veth", "peer", "name", "theirs")
    with subprocess.Popen(["unshare", "-n", "sleep", "infinity"]) as other:
        try:
            theirs, ours = Path(f"/proc/{other.pid}/ns/net"), Path("/proc/self/ns/net")
            until(lambda: theirs.readlink() != ours.readlink(), "no network")
            run("ip", "link", "set", "theirs", "netns", str(other.pid))
            for prefix, name, address in (((), "ours", OURS), (within(str(other.pid)), "theirs", THEIRS)):
                run(*prefix, "ip", "link", "set", "lo", "up")
                run(*prefix, "ip", "address", "add", f"{address}/24", "broadcast", "10.9.0.255", "dev", name)
                run(*prefix, "ip", "link", "set", name, "up", "multicast", "on")
                run(*prefix, "ip", "route", "add", "224.0.0.0/4", "dev", name)
            yield str(other.pid)
        finally:
            other.kill()


def within(pid: str) -> tuple[str, ...]:
    return ("nsenter", "-t", pid, "-n")


class Ola:
    """olad, with its settings in `folder`."""

    def __init__(self, pid: str, folder: Path) -> None:
        for name, settings in SETTINGS.items():
            lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
            (folder / f"ola-{name}.conf").write_text(lines)
        drop: tuple[str, ...] = ()
        if os.geteuid() == 0:
            drop = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
            for path in (folder, *folder.iterdir()):
                os.chown(path, NOBODY, NOBODY)
        log = (folder / "log").open("wb")
        command = [*within(pid), *drop, "olad", "--no-register-with-dns-sd", "-c", str(folder), "-l", "2"]
        self._pid, self.process = pid, subprocess.Popen(command, stdout=log, stderr=log)
        until(lambda: self.process.poll() is None and self._devices(), (folder / "log").read_text())

    def _devices(self) -> bool:
        answer = subprocess.run([*within(self._pid), "ola_dev_info"], capture_output=True, text=True)
        return "ArtNet" in answer.stdout and "E1.31" in answer.stdout

    def patch(self, plugin: str, port: int, universe: int, is_input: bool) -> None:
        devices = run(*within(self._pid), "ola_dev_info").splitlines()
        device = next(line.split()[1].rstrip(":") for line in devices if plugin in line)
        words = ["-d", device, "-p", str(port), "-u", str(universe), *(["-i"] if is_input else [])]
        run(*within(self._pid), "ola_patch", *words)

    def set(self, universe: int, levels: list[int]) -> None:
        body = urllib.parse.urlencode({"u": universe, "d": ",".join(map(str, levels))}).encode()
        self._ask("set_dmx", body)

    def get(self, universe: int) -> list[int]:
        return self._ask(f"get_dmx?u={universe}")["dmx"]

    def _ask(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://{THEIRS}:9090/{path}", body, timeout=PATIENCE_S) as answer:
            text = answer.read()
        return json.loads(text) if text[:1] == b"{" else {}

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


def colours(tick: int) -> Picture:
    """Red, green, blue and grey, from left to right."""
    pixels = np.zeros((64, 64, 4), np.uint8)
    for zone, colour in enumerate([(200, 10, 20), (30, 210, 40), (50, 60, 220), (120, 120, 120)]):
        pixels[:, zone * 16 : zone * 16 + 16, :3] = colour
    return Picture(pixels, tick, tick, 0, 1_000_000_000 + tick * 33_000_000, False)


class Console:
    """A bridge that listens to OLA, and its show."""

    def __init__(self, name: str, universe: int) -> None:
        self._name, self._universe = name, universe
        self.bridge, self._show = (
            make(BRIDGES, name, f"universe={universe}&host={OURS}&allow={THEIRS}&follow=1"),
            Show(),
        )
        self.bridge.start(self._show)
        assert next(iter(self.bridge.faults())).startswith("No ")

    def plays(self, ola: Ola) -> None:
        """Levels of OLA play the parameters: channel 1 is the master, channels 15 and 16 the blend surface."""
        self._becomes(ola, [51], "/out/master", 0.2)
        self._becomes(ola, [0] * 14 + [128, 64], "/blend/x", (128 * 256 + 64) / 65_535)
        assert self._show.values["/out/master"] == 0 and not list(self.bridge.faults()), list(self.bridge.faults())
        assert self.bridge.facts[f"{self._name}_sources"], "OLA has a name"

    def _becomes(self, ola: Ola, levels: list[int], path: str, value: float) -> None:
        def played() -> bool:
            ola.set(self._universe, levels)
            return abs(float(self._show.values[path]) - value) < 1e-6

        until(played, f"{self._name}: {path} is {self._show.values[path]}, not {value}")


def lamps_show(ola: Ola, sink: FrameSink, universe: int) -> None:
    """The picture's colours reach OLA, from channel 3 on."""
    sink.open(info("night"))
    sent = iter(range(1_000_000))

    def shows() -> bool:
        sink.send(colours(next(sent)))
        return ola.get(universe)[:14] == [0, 0, 200, 10, 20, 30, 210, 40, 50, 60, 220, 120, 120, 120]

    until(shows, f"{sink.about}: OLA sees {ola.get(universe)[:14]}")
    sink.close()


def main() -> None:
    with ExitStack() as undo:
        room = Path(undo.enter_context(tempfile.TemporaryDirectory()))
        room.chmod(0o755)
        pid = undo.enter_context(cable())
        consoles = [Console("artnet", 2), Console("sacn", 4)]  # OLA asks at its start who is there
        for console in consoles:
            undo.callback(console.bridge.stop)
        (room / "ola").mkdir()
        ola = Ola(pid, room / "ola")
        undo.callback(ola.close)
        for plugin, port, universe, is_input in (
            ("ArtNet", 0, 1, True), ("ArtNet", 1, 2, False), ("E1.31", 0, 3, True), ("E1.31", 0, 4, False),
        ):  # fmt: skip
            ola.patch(plugin, port, universe, is_input)
        lamps_show(ola, make(SINKS, "artnet", f"to={THEIRS}&universe=1&start=3"), 1)
        lamps_show(ola, make(SINKS, "sacn", f"to=multicast&host={OURS}&universe=3&start=3"), 3)
        for console in consoles:
            console.plays(ola)
    print("played")


if __name__ == "__main__":
    main()
