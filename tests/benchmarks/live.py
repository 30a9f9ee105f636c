"""A live show as an audience has it: rate, late pictures, delays from sound and OSC to the picture, starts, shares.

python tests/benchmarks/live.py [MINUTES [WORLD | SIZE/BASE/MAX]]        (5 minutes, shore; layouts: layout.py)

The panel is measured where Xvfb is installed. Nothing else should run on the machine.
"""

from __future__ import annotations

import gc
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))  # for the helpers of the tests

from tests.benchmarks.layout import world_of
from tests.engine.osc.osc_helpers import HERE, message
from tests.live.stage import RENDERER, LiveShow

from sonorama.engine.ipc.frame_map import FrameMap, FrameMapWriter
from sonorama.engine.ipc.messages import Applied
from sonorama.engine.model.world_file import find_world, load_world
from sonorama.engine.picture.to_rgba8 import rgba8
from sonorama.engine.pipeline.frame_pipeline import FramePipeline
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.processors import cores, one_blas_thread
from sonorama.engine.take.audio_file import SoundFile
from sonorama.engine.units import LEVELS, SAMPLE_RATE

SETTLING_S = 15.0
"""Until `/engine/precision auto` has found that exact is too slow, and has opened the fast precision."""
STILL: dict[str, Any] = {
    **{f"/motion/{level}/amount": 0 for level in LEVELS}, **{f"/moves/{number}/source": "off" for number in (1, 2, 3)},
    "/look/drift": 0, "/out/flash_guard": 0,
}  # fmt: skip


def begin(world: str) -> None:
    """The head of the table."""
    one_blas_thread()  # in the show's processes, as the command does
    load = os.getloadavg()[0]
    print(f"{world}, {cores()} cores, load before {load:.1f}, {time.strftime('%F')}")
    print("| what | measured | wanted |\n|---|---|---|")


def row(what: str, measured: str, wanted: str = "") -> None:
    """One line of the table."""
    print(f"| {what} | {measured} | {wanted} |", flush=True)


def sets(values: dict[str, Any]) -> list[str]:
    """Values as options of the command line."""
    return [word for path, value in values.items() for word in ("--set", f"{path}={value}")]


def spread(values: list[float], unit: str = "ms") -> str:
    """Median and the ends that matter."""
    ordered = sorted(values)
    high = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"p50 {statistics.median(ordered):.1f}, p99 {high:.1f}, longest {ordered[-1]:.1f} {unit} of {len(ordered)}"


@contextmanager
def display() -> Iterator[dict[str, str]]:
    """An environment with a display of its own, or none."""
    if shutil.which("Xvfb") is None:
        yield {}
        return
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
        pass_fds=[write], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            yield {"DISPLAY": f":{int(pipe.readline())}"}
    finally:
        server.terminate()
        server.wait()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- minutes of a whole show


def beats(path: Path, seconds: float) -> Path:
    """Something to hear: noise on every half second over a tone."""
    n, dice = round(seconds * SAMPLE_RATE), np.random.default_rng(0)
    at = np.arange(n) % (SAMPLE_RATE // 2)
    sound = 0.1 * np.sin(2 * np.pi * 110 * np.arange(n) / SAMPLE_RATE) + 0.5 * dice.standard_normal(n) * np.exp(
        -at / 3000
    )
    file = SoundFile(path)
    for start in range(0, n, SAMPLE_RATE):
        file.append(np.stack([sound, sound]).astype(np.float32)[:, start : start + SAMPLE_RATE])
    file.close()
    return path


def whole_show(folder: Path, world: str, minutes: float) -> None:
    """Outputs, panel, OSC and a recording, for some minutes after those in which the show finds its precision."""
    sound = beats(folder / "beats.wav", 60)
    with display() as env, ExitStack() as undo:
        begun = time.monotonic()
        show = undo.enter_context(LiveShow(
            folder, world, "--source", f"file:{sound}", "--sink", "null", "--record", str(folder / "film.mkv"), env=env,
        ))  # fmt: skip
        show.playing()
        row("start to the fourth new picture", f"{time.monotonic() - begun:.1f} s", "< 10 s")
        port, ending = show.session()["osc_port"], threading.Event()
        hand = threading.Thread(target=_hand, args=(port, ending))
        hand.start()
        time.sleep(SETTLING_S)
        pids = {"show": show.process.pid, "renderer": show.children(RENDERER)[0]}
        pids |= dict(zip(("panel",), show.children(" panel "), strict=False))
        reading = undo.enter_context(Reading(show.name))
        used, first, since = {name: cpu_seconds(pid) for name, pid in pids.items()}, show.row, time.monotonic()
        time.sleep(60 * minutes)
        last, passed = show.row, time.monotonic() - since
        shares = {name: 100 * (cpu_seconds(pid) - used[name]) / passed for name, pid in pids.items()}
        reading.close()
        ending.set()
        hand.join()
    new = sum(not one for one in reading.repeated)
    late = last["late"] - first["late"]
    row(f"new pictures a second over {minutes:g} min, with recording, panel, OSC", f"{new / passed:.2f}", ">= 30")
    row("of the pictures that left, late ones", f"{100 * late / len(reading.repeated):.2f} %", "< 1 %")
    row("longest time between two pictures that left", f"{1000 * max(np.diff(reading.at)):.0f} ms")
    row("frame map to another process that polls every ms", spread(reading.delays), "p50 < 1 ms at 512 square")
    row("painted in", last["precision"])
    row("sound to picture, as the show says", f"{last['delay_ms']:.0f} ms")
    row("shares of a core", ", ".join(f"{name} {share:.1f} %" for name, share in shares.items()), "panel < 10 %")


def _hand(port: int, ending: threading.Event) -> None:
    """Somebody who turns three knobs, 60 messages a second."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        turn = 0
        while not ending.wait(0.05):
            turn += 1
            for level in LEVELS:
                value = 0.5 + 0.5 * np.sin(turn / 20)
                one.sendto(message(f"/sonorama/motion/{level}/amount", "f", float(value)), (HERE, port))


class Reading:
    """Reads a frame map from a thread: when pictures came, and how long after they were begun to be published."""

    def __init__(self, name: str) -> None:
        self._map, self._ending = FrameMap(name), False
        self.at, self.delays, self.repeated = list[float](), list[float](), list[bool]()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        count, out = 0, None
        while not self._ending:
            if self._map.wait(0.2, count) and (slot := self._map.newest(out)) is not None:
                now = time.monotonic_ns()
                self.delays.append((now - self._map._map.get("heartbeat_ns")) / 1e6)
                self.at.append(now / 1e9)
                self.repeated.append(slot.repeated)
                count, out = slot.count, slot.pixels

    def close(self) -> None:
        """Stop."""
        self._ending = True
        self._thread.join()

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# --- the loop beside the network


def overhead(world: str) -> None:
    """Everything of a frame at 512 square but the networks: they answer at once here."""
    loaded = load_world(find_world(world))
    from sonorama.engine.inference.backend import open_backend

    real = open_backend(loaded, "cpu")
    player = FramePipeline(lambda *_: LoadedWorld(loaded, _Instant(real)), {})  # pyright: ignore[reportArgumentType]
    dice = np.random.default_rng(0)
    sound = (dice.standard_normal(20 * SAMPLE_RATE) * 0.1).astype(np.float32)
    picture = np.ascontiguousarray(dice.random((3, 512, 512), np.float32)).transpose(1, 2, 0)  # as networks give it
    spent: dict[str, list[float]] = {"hear and move": [], "pack": [], "publish": []}
    with FrameMapWriter(f"bench-{os.getpid()}", 512, 512) as out:
        for frame in range(400):
            times = [time.perf_counter()]
            player.step(sound[player.sample : player.next_sample])
            times.append(time.perf_counter())
            pixels = rgba8(picture)
            times.append(time.perf_counter())
            out.publish(pixels, 0, frame)
            times.append(time.perf_counter())
            for name, took in zip(spent, np.diff(times), strict=True):
                spent[name].append(1000 * float(took))
    medians = {name: statistics.median(values) for name, values in spent.items()}
    parts = ", ".join(f"{name} {value:.2f}" for name, value in medians.items())
    row("frame loop beside the networks at 512 square", f"{sum(medians.values()):.2f} ms ({parts})", "< 4 ms")


class _Instant:
    """A backend that gives what it gave the first time."""

    painters, name = 1, "instant"

    def __init__(self, real: Any) -> None:
        self._real, self._kept = real, dict[str, Any]()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            if name not in self._kept:
                self._kept[name] = getattr(self._real, name)(*arguments)
            return self._kept[name]

        return call


# --- OSC to an applied change


SENDER = """
import socket, struct, sys, time
port, rate, seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.connect(("127.0.0.1", port))
def text(word):
    return word + b"\\0" * (4 - len(word) % 4)
begun, sent = time.monotonic(), []
for number in range(int(rate * seconds)):
    while time.monotonic() < begun + number / rate:
        time.sleep(0.0001)
    now = time.monotonic_ns()
    one.send(text(b"/sonorama/moves/8/steps") + text(b",s") + text(str(now).encode()))
    sent.append(now)
print(*sent)
"""


def osc(world: str, rate: float = 2000.0, seconds: float = 10.0) -> None:
    """The time of sending travels in a text that nothing uses; the renderer says when the frame that took it began."""
    from sonorama.engine.show.plan import ShowPlan
    from sonorama.engine.show.show import Show

    plan = ShowPlan(f"bench-{os.getpid()}", "tone", world, {"/engine/device": "cpu"}, osc_port=0)
    applied: list[tuple[int, int]] = []
    with Show(plan) as show:
        show.wait_for_picture(120.0)

        def keep(message: Applied) -> None:
            newest = [int(one.value) for one in message.changes if one.path == "/moves/8/steps"]
            if newest:
                applied.append((message.at_ns, newest[-1]))

        gc.collect()
        gc.freeze()  # as `sonorama live` does
        time.sleep(3.0)
        show.events.applied.subscribe(keep, "benchmark")
        command = [sys.executable, "-c", SENDER, str(show.bridges.facts["osc_port"]), str(rate), str(seconds)]
        sent = [int(word) for word in subprocess.run(command, capture_output=True, check=True).stdout.split()]
        time.sleep(1.0)
    began, newest = np.array(applied).T
    at = np.searchsorted(newest, sent)  # the frame in which each acted
    missed, at, those = int(np.sum(at == len(began))), at[at < len(began)], np.array(sent)[at < len(began)]
    delays = ((began[at] - those) / 1e6).tolist()
    frames = at - np.searchsorted(began, those)
    row(f"OSC to the frame in which it acts, {rate:.0f} messages a second", f"{spread(delays)}, {missed} lost",
        f"p99 within one frame, {float(np.median(np.diff(began))) / 1e6:.1f} ms")  # fmt: skip
    row("messages that act in the next frame, or the one after it",
        f"{100 * float(np.mean(frames <= 0)):.1f} %, {100 * float(np.mean(frames <= 1)):.1f} %", ">= 99 %")  # fmt: skip


def main(words: list[str]) -> None:
    """Measure and print."""
    minutes, world = float(words[0]) if words else 5.0, world_of(words[1]) if len(words) > 1 else "shore"
    begin(world)
    overhead(world)
    osc(world)
    with tempfile.TemporaryDirectory() as folder:
        whole_show(Path(folder), world, minutes)


if __name__ == "__main__":
    main(sys.argv[1:])
