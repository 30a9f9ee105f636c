"""How soon the panel is there, and how much of a core it takes while a show runs (30 pictures, 10 reports a second).

xvfb-run python tests/benchmarks/panel.py
"""

import contextlib
import math
import os
import statistics
import subprocess
import sys
import time

import numpy as np

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.ipc.channel import ChannelClosed, Peer, Server
from sonorama.engine.ipc.frame_map import FrameMapWriter
from sonorama.engine.ipc.messages import Hello, Status, Values

STARTS, SECONDS, FPS = 5, 20.0, 30
CLASSES = ("waves", "rain", "wind", "thunder", "fire", "birds", "waterfall", "crickets", "volcano")
PANEL = "import sys; from sonorama.engine.cli.main import main; sys.exit(main(['panel', sys.argv[1]]))"
# The same, but it ends with the first picture of itself on the screen.
FIRST_PAINT = """
import sys, time
from PyQt6.QtCore import QEvent, QObject
from sonorama.engine.cli.main import main
from sonorama.ui import window
class Watch(QObject):
    def eventFilter(self, a0, a1):
        if a1.type() == QEvent.Type.Paint:
            print(time.monotonic(), flush=True)
        return False
made = window.Window.__init__
def init(self, link):
    made(self, link)
    self.watch = Watch(self)
    self.preview.installEventFilter(self.watch)
window.Window.__init__ = init
sys.exit(main(['panel', sys.argv[1]]))
"""


def start_time(name: str) -> float:
    """Seconds from the start of the process to its first paint."""
    begun = time.monotonic()
    with subprocess.Popen([sys.executable, "-c", FIRST_PAINT, name], stdout=subprocess.PIPE, text=True) as panel:
        assert panel.stdout is not None
        painted = float(panel.stdout.readline())
        panel.terminate()
    return painted - begun


def report(tick: int) -> Status:
    """Everything moves, as with music; the sound embedding, and the scores with it, four times a second."""
    scored = 0.5 + 0.02 * (tick * 2 // 5 % 6)
    beat = tick / 10 * 2.1 % 1.0
    wave = [0.5 + 0.5 * math.sin(band / 3 + tick) for band in range(32)]
    moved = {f"/motion/{level}/amount": 1.0 - 0.5 * beat for level in ("coarse", "mid", "fine")}
    return Status(
        fps=29.9, target_fps=30, delay_ms=70.0 + tick % 3, renderer_pid=1, late=tick // 50,
        scores=(("waves", scored), ("rain", 0.2), ("wind", 0.1)), mel=tuple(wave), bpm=126.0,
        classes=CLASSES, class_scores=tuple(scored / slot for slot in range(1, len(CLASSES) + 1)),
        level=beat, bass=beat, mid=beat, high=beat, onset=1 - beat, beat=beat, db=-20 - 9 * beat,
        effective=moved | {"/look/truncation": 0.5 + 0.2 * beat}, scenes=(True,) * 8,
    )  # fmt: skip


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def share(name: str, server: Server, size: int) -> float:
    """Part of one core that the panel takes while it shows pictures of size x size."""
    dice = np.random.default_rng(0)
    pictures = [np.repeat(np.repeat(dice.integers(0, 256, (32, 32, 4), np.uint8), size // 32, 0), size // 32, 1)] * 2
    pictures[1] = np.ascontiguousarray(pictures[1][::-1])
    panel = subprocess.Popen([sys.executable, "-c", PANEL, name])
    peers: list[Peer] = []
    used = begun = 0.0
    for _, gone in server.accept():  # of the starts before
        gone.close()
    with FrameMapWriter(name, size, size) as frames:
        due, frame = time.monotonic(), 0
        while frame < (SECONDS + 3) * FPS:
            frame, due = frame + 1, due + 1 / FPS
            time.sleep(max(0.0, due - time.monotonic()))
            for _, peer in server.accept():
                peer.send(Hello(name=name, frame_map=name, osc_port=9123))
                peer.send(Values({path: param.default for path, param in SHOW.items() if not param.event}))
                peers.append(peer)
            frames.publish(pictures[frame % 2], time.monotonic_ns(), frame)
            if frame % (FPS // 10) == 0:
                for peer in peers:
                    with contextlib.suppress(ChannelClosed):
                        peer.send(report(frame // 3))
            if frame == 3 * FPS:
                used, begun = cpu_seconds(panel.pid), time.monotonic()
        used, begun = cpu_seconds(panel.pid) - used, time.monotonic() - begun
    panel.terminate()
    panel.wait()
    return used / begun


def main() -> None:
    """Measure and print."""
    name, server = f"bench-{os.getpid()}", Server()
    server.announce(name, {})
    starts = [start_time(name) for _ in range(STARTS)]
    print(f"start to first paint: median {statistics.median(starts):.2f} s, longest {max(starts):.2f} s")
    for size in (256, 512):
        print(f"pictures of {size}x{size}: {100 * share(name, server, size):.1f} % of a core")
    server.close()


if __name__ == "__main__":
    main()
