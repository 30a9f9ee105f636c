"""What outputs cost a show of 1280x720 at 30 frames a second: their share of a core, each alone and all together.

python tests/benchmarks/outputs.py [ROUNDS]        (3; nothing else should run on the machine)

The share is that of all processes of the show, less that of the same show without outputs. The program that reads the
stream, the X server and the receiver of NDI are not counted. NDI is measured where cyndilib is installed (`make
test-hosts` puts it into build/hosts; PYTHONPATH=build/hosts).
"""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # for the helpers of the tests

from tests.benchmarks.live import begin, cpu_seconds, display, row
from tests.live.stage import LiveShow, processes

SECONDS = 15.0
WANTED = "all together < 35 %"


def family(pid: int) -> list[int]:
    """A process and all that it has started; a window has a session of its own."""
    parents = {child: parent for child, (parent, _) in processes().items()}
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


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
        used, since, first = {pid: cpu_seconds(pid) for pid in pids}, time.monotonic(), show.row["frame"]
        time.sleep(SECONDS)
        passed = time.monotonic() - since
        spent = sum(cpu_seconds(pid) - used[pid] for pid in pids)
        return 100 * spent / passed, (show.row["frame"] - first) / passed


def main(words: list[str]) -> None:
    """Measure and print."""
    rounds = int(words[0]) if words else 3
    begin("test pattern")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        outputs = {"window": "window", "record": f"record:{folder / 'film.mp4'}", "stream": "stream"}
        if importlib.util.find_spec("cyndilib"):
            outputs["ndi"] = "ndi"
        kinds = {"nothing": [], **{name: [sink] for name, sink in outputs.items()}}
        kinds["window, record, stream and ndi" if "ndi" in outputs else "window, record and stream"] = [
            *outputs.values()
        ]
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
    main(sys.argv[1:])
