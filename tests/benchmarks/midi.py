"""How long a MIDI message takes to the frame in which it acts: a real port of JACK, `--bridge midi`, a mapped knob.

python tests/benchmarks/midi.py [COUNT]        (500; nothing else should run on the machine)
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # for the helpers of the tests

from tests.benchmarks.live import begin, row, spread
from tests.plugin.midi.jack import Controller, Jack

from sonorama.engine.ipc.messages import Applied
from sonorama.engine.show.plan import ShowPlan
from sonorama.engine.show.show import Show

KNOB = "/look/truncation"
MAPPING = [{"address": KNOB, "port": "", "kind": "cc", "channel": 1, "number": 1}]
EVERY_S = 0.0517
"""Between two messages: each falls at another place between two frames, and only one acts in a frame."""


def measure(folder: Path, count: int) -> tuple[list[float], float]:
    """Milliseconds from sending to the begin of the frame that takes the change; and those of a frame."""
    mapping = folder / "bench.midi.json"
    mapping.write_text(json.dumps({"format": "sonorama-midi", "mappings": MAPPING}))
    plan = ShowPlan(
        f"bench-{os.getpid()}", "tone", "shore", {"/engine/device": "cpu", "/midi/takeover": "none"}, osc_port=0,
        bridges=(f"midi:api=jack&file={mapping}",),
    )  # fmt: skip
    controller, applied = Controller("mixer"), list[tuple[int, float]]()
    with Show(plan) as show:
        show.wait_for_picture(120.0)

        def keep(message: Applied) -> None:
            applied.extend((message.at_ns, float(one.value)) for one in message.changes if one.path == KNOB)

        show.events.applied.subscribe(keep, "benchmark")
        gc.collect()
        gc.freeze()  # as `sonorama live` does
        time.sleep(5.0)
        applied.clear()
        sent: list[int] = []
        for number in range(count):
            sent.append(time.monotonic_ns())
            controller.send(f"control_change control=1 value={number % 128}")
            time.sleep(EVERY_S)
        time.sleep(1.0)
    controller.unplug()
    print(f"{len(sent)} sent, {len(applied)} acted")
    began = np.array([at for at, _ in applied])
    at = np.searchsorted(began, sent)
    those = at < len(began)
    frames = [b - a for a, b in pairwise(sorted(set(began.tolist())))]
    return ((began[at[those]] - np.array(sent)[those]) / 1e6).tolist(), float(np.median(frames)) / 1e6


def main(words: list[str]) -> None:
    """Measure and print."""
    begin("shore")
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        jack = Jack(Path(place), patch)
        try:
            delays, frame = measure(Path(place), int(words[0]) if words else 500)
        finally:
            jack.close()
    row("MIDI to the frame in which it acts", spread(delays), f"p99 within one frame, {frame:.1f} ms, and JACK's way")


if __name__ == "__main__":
    main(sys.argv[1:])
