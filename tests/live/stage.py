"""A real show for the tests: the command as people start it, without a display, and what can be seen of it outside."""

import contextlib
import hashlib
import json
import os
import secrets
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np

from sonorama.engine.control.parameters import Value
from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.channel import Peer, connect, read_session
from sonorama.engine.ipc.frame_map import FrameMap
from sonorama.engine.ipc.messages import Values
from sonorama.engine.ipc.shared_paths import shared_folder
from sonorama.engine.take.audio_file import SoundFile

from ..ending import die_with_parent
from ..engine.osc.osc_helpers import HERE, message
from ..speed import slowness

PATIENCE_S = 120.0 * slowness()
"""How long anything may take on a machine that has other work; what it should take is measured in tests/benchmarks."""
COUNTER = 1 << 24
RENDERER = "sonorama.engine.renderer.frame_loop"


def until(true: Callable[[], object], what: str | Callable[[], str], seconds: float = PATIENCE_S) -> None:
    """Wait until something is true; fails with `what` otherwise. What takes long is looked at less often: to look costs
    the show time too.
    """
    end, pause = time.monotonic() + seconds, 0.01
    while not true():
        assert time.monotonic() < end, f"in {seconds:.0f} s: {what if isinstance(what, str) else what()}"
        time.sleep(pause)
        pause = min(1.2 * pause, 0.1)


def processes() -> dict[int, tuple[int, str]]:
    """Every running process: its number -> (its parent's, its command line)."""
    found: dict[int, tuple[int, str]] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if state not in ("Z", "X"):
                found[int(entry.name)] = int(parent), command
    return found


def shared_files(name: str) -> list[str]:
    """What a show keeps in shared memory."""
    return sorted(path.name for path in shared_folder().glob(f"sonorama-{name}*"))


def counting_sound(path: Path, seconds: float) -> Path:
    """Left counts samples, exact in float32, from 1; right has noise in bursts, so that pictures move."""
    n, dice = round(seconds * 44_100), np.random.default_rng(1)
    left = np.arange(1, n + 1, dtype=np.float32) / COUNTER
    right = dice.standard_normal(n).astype(np.float32) * 0.2 * (np.arange(n) // 11_025 % 3 == 0)
    file = SoundFile(path)
    for start in range(0, n, 44_100):
        file.append(np.stack([left, right]).astype(np.float32)[:, start : start + 44_100])
    file.close()
    return path


class LiveShow:
    """`sonorama live` in a process of its own. Leaving kills it and everything that it started.

    Args:
        folder: for its statistics and what it says.
        world: path or name.
        options: of the command line, besides name, world, OSC port and statistics.
        name: one nobody else has, unless given.
        env: of the process, besides the test's own; there is no display unless it is here.
        python: the interpreter that it runs in.
        terminal: descriptor of the terminal that it runs in, as if started there; without one its output goes to a
            file.

    """

    def __init__(
        self,
        folder: Path,
        world: str,
        *options: str,
        name: str = "",
        env: Mapping[str, str] | None = None,
        python: str = sys.executable,
        terminal: int | None = None,
    ) -> None:
        self.name = name or f"live-{os.getpid()}-{secrets.token_hex(4)}"
        self.stats, self.log = folder / f"{self.name}.jsonl", folder / f"{self.name}.log"
        command = [python, "-m", "sonorama.engine.cli.main", "live", "--world", world, "--name", self.name]
        command += ["--osc-port", "0", "--size", "world", "--stats", str(self.stats), *options]
        own = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
        own |= {"SONORAMA_LOOKS": str(folder / "looks"), "XDG_VIDEOS_DIR": str(folder / "videos")}
        with self.log.open("ab") as log:
            out = log if terminal is None else terminal
            self.process = subprocess.Popen(
                command, env=own | dict(env or {}), stdin=subprocess.DEVNULL if terminal is None else terminal,
                stdout=out, stderr=out, start_new_session=True, preexec_fn=partial(die_with_parent, terminal),
            )  # fmt: skip
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._panels: list[Peer] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        left = self.children()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self._socket.close()
        for panel in self._panels:
            panel.close()
        for name in shared_files(self.name):
            (shared_folder() / name).unlink(missing_ok=True)

    # --- what it says

    @property
    def output(self) -> str:
        """Everything it wrote."""
        return self.log.read_text()

    def wait(self, true: Callable[[], object], what: str | Callable[[], str], seconds: float = PATIENCE_S) -> None:
        """Wait until something is true; fails if it is not, or if the show ends meanwhile."""

        def alive_and_true() -> object:
            assert self.process.poll() is None, f"the show ended with {self.process.returncode}: {self.output}"
            return true()

        until(alive_and_true, what, seconds)

    def session(self) -> dict[str, Any]:
        """What it tells whoever wants to reach it; waits for it."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            with contextlib.suppress(SonoramaError):
                found.append(read_session(self.name))
            return bool(found)

        self.wait(look, "there is no session file")
        return found[-1]

    def rows(self) -> list[dict[str, Any]]:
        """Its statistics so far."""
        lines = self.stats.read_text().splitlines(keepends=True) if self.stats.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    @property
    def row(self) -> dict[str, Any]:
        """The newest of them, without any for the time before the first."""
        return (self.rows() or [{}])[-1]

    def faults(self) -> list[str]:
        """Every line of fault that it noted so far."""
        return [line for row in self.rows() for line in row["faults"]]

    # --- its processes

    def children(self, part: str = "") -> list[int]:
        """Numbers of the processes in its session whose command line holds `part`, itself excepted."""
        found: list[int] = []
        for pid, (_, command) in processes().items():
            with contextlib.suppress(ProcessLookupError):
                if pid != self.process.pid and os.getsid(pid) == self.process.pid and part in command:
                    found.append(pid)
        return found

    def renderer(self) -> int:
        """Number of the renderer's process; waits for one."""
        found: list[int] = []
        self.wait(lambda: found.extend(self.children(RENDERER)) or found, "there is no renderer")
        return found[0]

    def playing(self) -> int:
        """Wait until new pictures come from a renderer; its number."""
        self.session()
        with FrameMap(self.name) as seen:
            begun: list[int] = []

            def new() -> bool:
                slot = seen.newest()
                if slot is not None and not slot.repeated and slot.frame not in begun:
                    begun.append(slot.frame)
                return len(begun) > 3

            self.wait(new, "no pictures come")
        return self.renderer()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the show a signal; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    # --- what is asked of it

    def send(self, packet: bytes) -> None:
        """One OSC packet."""
        self._socket.sendto(packet, (HERE, self.session()["osc_port"]))

    def set(self, path: str, value: Value) -> None:
        """A value, by OSC."""
        kind = {bool: "i", int: "i", float: "f", str: "s"}[type(value)]
        self.send(message(f"/sonorama{path}", kind, value))

    def panel(self) -> Peer:
        """A line as the panel has one."""
        self.session()
        self._panels.append(connect(self.name, "panel"))
        return self._panels[-1]

    def values(self) -> dict[str, Value]:
        """What a panel is told that holds."""
        panel, told = self.panel(), None
        while not isinstance(told, Values):
            told = panel.receive(PATIENCE_S)
            assert told is not None
        panel.close()
        return told.values

    def holds(self, path: str, value: Value) -> None:
        """Wait until the show holds a value."""
        held: list[Value] = []

        def look() -> bool:
            held[:] = [self.values()[path]]
            same = held[0] == value
            return same or (isinstance(value, float) and abs(float(held[0]) - value) < 1e-6)

        self.wait(look, lambda: f"{path} does not become {value!r}, it is {held}")


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture as another program saw it.

    Attributes:
        at: monotonic seconds. count, frame, sample, repeated: as in FrameSlot.
        digest: of the pixels. mean: of their colours. size: (width, height).

    """

    at: float
    count: int
    frame: int
    sample: int
    repeated: bool
    digest: bytes
    mean: float
    size: tuple[int, int]


def digest(pixels: np.ndarray) -> bytes:
    """Two pictures are the same to the bit if this is."""
    return hashlib.blake2b(np.ascontiguousarray(pixels).tobytes(), digest_size=16).digest()


class Watcher:
    """Looks at a public frame map all the time, from a thread, and keeps what it saw; `seen` may be read meanwhile."""

    def __init__(self, name: str) -> None:
        self.seen: list[Seen] = []
        self.overslept = 0.0
        self._map, self._ending = FrameMap(name), False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        threading.Thread(target=self._sleep, daemon=True).start()

    def _sleep(self) -> None:
        """Measures how long this machine lets a thread wait that only wants to sleep."""
        while not self._ending:
            began = time.monotonic()
            time.sleep(0.01)
            self.overslept = max(self.overslept, time.monotonic() - began - 0.01)

    def check_gaps(self) -> None:
        """No time without any picture, a repeated one or a new one, but what the machine itself held up."""
        seen = list(self.seen)
        gap, allowed = max(b.at - a.at for a, b in pairwise(seen)), 1.5 + 3 * self.overslept
        assert gap < allowed, f"{gap:.2f} s without a picture; {allowed:.2f} s may pass on this machine now"

    def _run(self) -> None:
        count = 0
        while not self._ending:
            if not self._map.wait(0.2, count):
                continue
            slot = self._map.newest()
            if slot is not None and slot.count != count:
                count = slot.count
                facts = (time.monotonic(), count, slot.frame, slot.sample, slot.repeated, digest(slot.pixels))
                height, width = slot.pixels.shape[:2]
                self.seen.append(Seen(*facts, float(slot.pixels[..., :3].mean()), (width, height)))

    @property
    def new(self) -> int:
        """Pictures that repeated none; a busy machine shows few of them."""
        return sum(not one.repeated for one in list(self.seen))

    def close(self) -> list[Seen]:
        """Stop looking; what was seen."""
        self._ending = True
        self._thread.join()
        self._map.close()
        return self.seen

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def longest_still(seen: list[Seen]) -> float:
    """The longest time without a new picture, seconds."""
    new = [one.at for one in seen if not one.repeated]
    return max(b - a for a, b in pairwise([seen[0].at, *new, seen[-1].at]))


def burst(port: int, packets: list[bytes]) -> None:
    """Send packets as fast as another program can."""
    head = b"".join(struct.pack("<I", len(packet)) + packet for packet in packets)
    code = (
        "import socket, struct, sys\n"
        "data, at = sys.stdin.buffer.read(), 0\n"
        "one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "one.connect(('127.0.0.1', int(sys.argv[1])))\n"
        "while at < len(data):\n"
        "    n = struct.unpack_from('<I', data, at)[0]\n"
        "    one.send(data[at + 4 : at + 4 + n])\n"
        "    at += 4 + n\n"
    )
    subprocess.run([sys.executable, "-c", code, str(port)], input=head, check=True, timeout=PATIENCE_S)
