"""Another program in a Link session, by an independent library; commands come on standard input, one a line.

The argument is its tempo. `tempo 140`, `play`, `stop`; `read 20` prints so many readings: monotonic nanoseconds, beat,
tempo and phase in a bar of four.
"""

import sys
import time
from typing import Any

import link as compiled_module

library: Any = compiled_module
QUANTUM = 4.0
INTERRUPTED_NS = 200_000


def reading(link: Any) -> str:
    """One that was not interrupted, so that its moment is known."""
    while True:
        before = time.monotonic_ns()
        micros = link.clock().micros()
        after = time.monotonic_ns()
        if after - before < INTERRUPTED_NS:
            break
        time.sleep(0.001)
    state = link.captureSessionState()
    beat, phase = state.beatAtTime(micros, QUANTUM), state.phaseAtTime(micros, QUANTUM)
    return f"{(before + after) // 2} {beat:.9f} {state.tempo():.9f} {phase:.9f}"


def main() -> None:
    link = library.Link(float(sys.argv[1]))
    link.startStopSyncEnabled = link.enabled = True
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "read":
            for _ in range(int(rest[0])):
                print(reading(link), flush=True)
                time.sleep(0.02)
            continue
        state, now = link.captureSessionState(), link.clock().micros()
        if word == "tempo":
            state.setTempo(float(rest[0]), now)
        else:
            state.setIsPlaying(word == "play", now)
        link.commitSessionState(state)
    link.enabled = False


if __name__ == "__main__":
    main()
