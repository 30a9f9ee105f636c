"""How long a picture takes from `publish` to a copy of its own in another process.

python tests/benchmarks/frames.py
"""

import os
import statistics
import subprocess
import sys
import time

import numpy as np

from sonorama.engine.ipc.frame_map import FrameMapWriter

FRAMES, FPS = 300, 60
READER = """
import statistics, sys, time
from sonorama.engine.ipc.frame_map import FrameMap
reader, delays, count, out = FrameMap(sys.argv[1]), [], 0, None
print("ready", flush=True)
reader.wait(2.0, 0)
begun, used = time.monotonic(), time.process_time()
while reader.wait(2.0, count):
    slot = reader.newest(out)
    if slot is not None:
        delays.append((time.monotonic_ns() - slot.pts_ns) / 1e6)
        count, out = slot.count, slot.pixels
        share = 100 * (time.process_time() - used) / (time.monotonic() - begun)
delays = sorted(delays[10:])
print(f"p50 {statistics.median(delays):.2f} ms, p99 {delays[int(len(delays) * 0.99)]:.2f} ms, {len(delays)} read,")
print(f"  reader {share:.1f} % of a core")
"""


def measure(width: int, height: int) -> str:
    """One line for one size. The clock starts before `publish`, so the writer's copy is in it."""
    name = f"bench-{os.getpid()}"
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 4), dtype=np.uint8)
    spent = []
    with FrameMapWriter(name, width, height) as writer:
        reader = subprocess.Popen([sys.executable, "-c", READER, name], stdout=subprocess.PIPE, text=True)
        assert reader.stdout is not None
        reader.stdout.readline()
        due = time.monotonic()
        for frame in range(FRAMES):
            due += 1 / FPS
            time.sleep(max(0.0, due - time.monotonic()))
            begun = time.monotonic_ns()
            writer.publish(picture, begun, frame)
            spent.append((time.monotonic_ns() - begun) / 1e6)
        line = " ".join(reader.communicate(timeout=10)[0].split())
    return f"{width}x{height}: publish {statistics.median(spent):.2f} ms; publish to reader {line}"


def main() -> None:
    """Measure and print."""
    for width, height in ((256, 256), (512, 512), (1920, 1080)):
        print(measure(width, height))


if __name__ == "__main__":
    main()
