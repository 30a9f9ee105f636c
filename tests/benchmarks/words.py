"""What words cost a running show: how long a place for them takes, and what the picture does meanwhile.

python tests/benchmarks/words.py [WORLD]        (shore)
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # for the helpers of the tests

from tests.benchmarks.live import begin, row
from tests.live.stage import LiveShow, Watcher, longest_still

from sonorama.engine.ipc.messages import Changed

TEXTS = ("a storm over black rocks", "a red desert", "snow in the mountains")
PAUSE_S = 8.0


def words(folder: Path, world: str) -> None:
    """Three texts, one after the other."""
    with LiveShow(folder, world, "--source", "tone", "--no-panel") as show:
        show.playing()
        time.sleep(5.0)
        for number, text in enumerate(TEXTS, 1):
            with Watcher(show.name) as watcher:
                before, asked = show.row["late"], time.monotonic()
                show.set("/look/text", text)
                took = found(show) - asked
                time.sleep(PAUSE_S - min(took, PAUSE_S))
                late = show.row["late"] - before
            still = 1000 * longest_still(watcher.seen)
            row(f"words {number}: found after", f"{took:.2f} s")
            row(
                f"words {number}: late pictures in {PAUSE_S:.0f} s, longest still",
                f"{late}, {still:.0f} ms",
                "0, 67 ms",
            )


def found(show: LiveShow) -> float:
    """When the next place was told, monotonic seconds."""
    panel = show.panel()
    while True:
        message = panel.receive(60.0)
        if isinstance(message, Changed) and any(path == "/look/prompt" for path, *_ in message.changes):
            return time.monotonic()


def main(given: list[str]) -> None:
    """Measure and print."""
    world = given[0] if given else "shore"
    begin(world)
    with tempfile.TemporaryDirectory() as folder:
        words(Path(folder), world)


if __name__ == "__main__":
    main(sys.argv[1:])
