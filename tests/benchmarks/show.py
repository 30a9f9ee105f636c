"""A whole show, measured: rate, late pictures, delay, processor time, first picture, and OSC to an applied change.

python tests/benchmarks/show.py [SECONDS]     (60 unless told; run it with nothing else on the machine)
"""

import os
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from sonorama.engine.params import Change
from sonorama.engine.show.show import Show, ShowPlan

RAIN = Path(__file__).parents[2] / "examples" / "rain.ogg"
AMOUNT = "/sonorama/motion/coarse/amount"
RATE, BURSTS = 2000, 50
"""Messages a second, and in how many packets they come."""


def cpu(pid: int) -> float:
    """Seconds of processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def display() -> tuple[subprocess.Popen[bytes], str]:
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as pipe:
        return server, f":{int(pipe.readline())}"


def packed(value: float) -> bytes:
    address = AMOUNT.encode() + b"\0" * (4 - len(AMOUNT) % 4)
    return address + b",f\0\0" + struct.pack(">f", value)


class Osc:
    """Sends RATE messages a second, each another value, and times how long until one like it was applied."""

    def __init__(self, port: int) -> None:
        self._port, self._sent = port, dict[float, float]()
        self.delays: list[float] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def did(self, changes: list[Change]) -> None:
        now = time.monotonic()
        for change in changes:
            sent = (
                self._sent.get(struct.unpack(">f", struct.pack(">f", float(change.value)))[0])
                if "coarse" in change.path
                else None
            )
            if sent is not None:
                self.delays.append(now - sent)

    def _run(self) -> None:
        out, number = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0
        while not self._closing.wait(1 / BURSTS):
            for _ in range(RATE // BURSTS):
                number += 1
                value = struct.unpack(">f", struct.pack(">f", number % 2_000_000 / 1_000_000))[0]
                self._sent[value] = time.monotonic()
                out.sendto(packed(value), ("127.0.0.1", self._port))

    def close(self) -> None:
        self._closing.set()
        self._thread.join()


def main(seconds: float) -> None:
    server, where = display()
    name = f"measure-{os.getpid()}"
    began = time.monotonic()
    show = Show(ShowPlan(name=name, source=f"file:{RAIN}", osc_port=0, sinks=("null",)))
    panel = None
    try:
        show.start()
        environment = {**os.environ, "DISPLAY": where}
        command = [sys.executable, "-m", "sonorama.engine.cli", "panel", name]
        panel = subprocess.Popen(command, env=environment)
        show.wait_for_picture(300)
        print(f"first picture after {time.monotonic() - began:.2f} s")
        time.sleep(5)
        measure(show, panel.pid, seconds)
    finally:
        if panel is not None:
            panel.terminate()
        show.close()
        server.terminate()


def measure(show: Show, panel: int, seconds: float) -> None:
    assert show.keeper is not None
    pids = {"show": os.getpid(), "renderer": show.keeper.pid, "panel": panel}
    before, ticks, late = (
        {name: cpu(pid) for name, pid in pids.items()},
        show.ticker.tally.ticks,
        show.ticker.tally.late,
    )
    rates, delays, start = list[float](), list[float](), time.monotonic()
    while time.monotonic() - start < seconds:
        time.sleep(0.5)
        rates.append(show.ticker.tally.fps)
        delays.append(show.ticker.tally.delay_ms)
    passed = time.monotonic() - start
    left, repeated = show.ticker.tally.ticks - ticks, show.ticker.tally.late - late
    print(f"{passed:.0f} s: {left / passed:.2f} pictures left a second, {100 * repeated / left:.2f} % of them late")
    print(f"new pictures a second: median {statistics.median(rates):.2f}, least {min(rates):.2f}")
    print(f"sound to public frame map: median {statistics.median(delays):.0f} ms")
    for name, pid in pids.items():
        print(f"{name}: {100 * (cpu(pid) - before[name]) / passed:.1f} % of a core")
    osc = Osc(show.osc.port)
    told = show.keeper._did

    def did(frame: int, sample: int, changes: list[Change]) -> None:
        osc.did(changes)
        told(frame, sample, changes)

    show.keeper._did = did
    time.sleep(min(seconds, 20.0))
    osc.close()
    times = sorted(1000 * one for one in osc.delays)
    middle, p99 = times[len(times) // 2], times[int(0.99 * len(times))]
    print(
        f"OSC at {RATE} messages/s to an applied change: median {middle:.1f} ms, p99 {p99:.1f} ms, {len(times)} applied"
    )
    print(f"(of several in one frame the last one is; sound to picture meanwhile {show.ticker.tally.delay_ms:.0f} ms)")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
