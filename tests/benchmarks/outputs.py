"""What outputs cost a show of 1280x720 at 30 frames a second: their share of a core, each alone and three together.

python tests/benchmarks/outputs.py [ROUNDS]        (3; nothing else should run on the machine)

The share is that of all processes of the show, less that of the same show without outputs. The program that reads the
stream, the X server and the receiver of NDI are not counted. NDI is measured where cyndilib and ndi-python are
installed (`make test` puts them into build/hosts; PYTHONPATH=build/hosts), in a network of its own, for which it
takes root.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

sys.path.insert(0, str(Path(__file__).parents[2]))  # for the helpers of the tests

from tests.benchmarks.live import begin, cpu_seconds, display, row
from tests.live.stage import LiveShow, processes

SECONDS = 15.0
WANTED = "< 35 %"
NETWORK = "ip link set lo up; ip link set lo multicast on; ip route add 224.0.0.0/4 dev lo; exec "
ALONE = "SONORAMA_BENCHMARK_ALONE"
"""Set in the environment of the process that has a network of its own."""
RECEIVER = """
import NDIlib as ndi
assert ndi.initialize()
wanted = ndi.FindCreate()
wanted.extra_ips = "127.0.0.1"
finder = ndi.find_create_v2(wanted)
while not ndi.find_get_current_sources(finder):
    ndi.find_wait_for_sources(finder, 200)
create = ndi.RecvCreateV3()
receiver = ndi.recv_create_v3(create)
ndi.recv_connect(receiver, ndi.find_get_current_sources(finder)[0])
count = 0
while True:
    kind, video, _, _ = ndi.recv_capture_v2(receiver, 100)
    if kind == ndi.FRAME_TYPE_VIDEO:
        ndi.recv_free_video_v2(receiver, video)
        count += 1
        print(count, flush=True)
"""


def family(pid: int) -> list[int]:
    """A process and all that it has started; a window has a session of its own."""
    parents = {child: parent for child, (parent, _) in processes().items()}
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


@contextmanager
def receiver() -> Iterator[Callable[[], int]]:
    """An NDI receiver that gets pictures already; gives a function that says how many it has got since."""
    counts = [0]
    with subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True) as process:
        lines = process.stdout
        assert lines is not None
        try:
            first = int(lines.readline())
            Thread(target=lambda: counts.extend(int(line) for line in lines), daemon=True).start()
            yield lambda: counts[-1] - first
        finally:
            process.kill()


def share(folder: Path, sinks: list[str]) -> tuple[float, float]:
    """Per cent of a core that a show takes with these outputs, and the pictures a second that it publishes."""
    words = [word for sink in sinks for word in ("--sink", sink)]
    with ExitStack() as undo:
        env = undo.enter_context(display())
        options = ["--renderer", "test-pattern", "--source", "tone", "--no-panel", "--size", "1280x720", *words]
        show = undo.enter_context(LiveShow(folder, "shore", *options, env=env))
        show.session()
        time.sleep(5.0)
        if "stream" in sinks:
            reader = ["ffmpeg", "-loglevel", "error", "-i", "tcp://127.0.0.1:9126", "-f", "null", "-"]
            reading = subprocess.Popen(reader)
            undo.callback(reading.kill)
            time.sleep(2.0)
            assert reading.poll() is None, "nothing is read"
        pids = family(show.process.pid)
        received = undo.enter_context(receiver()) if "ndi" in sinks else None
        used, since, first = {pid: cpu_seconds(pid) for pid in pids}, time.monotonic(), show.row["frame"]
        time.sleep(SECONDS)
        passed = time.monotonic() - since
        assert received is None or received() > 0.9 * 30 * SECONDS, "NDI lost pictures"
        spent = sum(cpu_seconds(pid) - used[pid] for pid in pids)
        return 100 * spent / passed, (show.row["frame"] - first) / passed


def main(words: list[str]) -> None:
    """Measure and print."""
    rounds = int(words[0]) if words else 3
    begin("test pattern")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        outputs = {"window": "window", "record": f"record:{folder / 'film.mp4'}", "stream": "stream"}
        if ALONE in os.environ:
            outputs["ndi"] = "ndi"
        kinds = {"nothing": [], **{name: [sink] for name, sink in outputs.items()}}
        together = [name for name in ("window", "record", "ndi") if name in outputs]
        kinds[" and ".join(together)] = [outputs[name] for name in together]
        found = {name: list[tuple[float, float]]() for name in kinds}
        for number in range(rounds):
            for name, sinks in kinds.items():
                found[name].append(share(folder, [s.replace("film", f"{number}-{len(sinks)}") for s in sinks]))
    base = statistics.median(one for one, _ in found["nothing"])
    for name, figures in found.items():
        shares = [one - (0 if name == "nothing" else base) for one, _ in figures]
        low, middle, high = min(shares), statistics.median(shares), max(shares)
        fps = statistics.median(fps for _, fps in figures)
        row(name, f"{middle:.1f} % of a core ({low:.1f} to {high:.1f}), {fps:.1f} pictures a second",
            WANTED if len(kinds[name]) > 1 else "")  # fmt: skip


if __name__ == "__main__":
    has_ndi = all(map(importlib.util.find_spec, ("cyndilib", "NDIlib")))
    if has_ndi and os.geteuid() == 0 and shutil.which("unshare") and ALONE not in os.environ:
        program = ["bash", "-c", f'{NETWORK} "$@"', "bash", sys.executable, *sys.argv]
        os.execvpe(  # noqa: S606
            "unshare", ["unshare", "-n", *program], os.environ | {ALONE: "1"}
        )
    main(sys.argv[1:])
