"""A whole offline render as a process: time to the first frame, speed, memory.

Run it on a quiet machine, after one render of the world has made its graphs:
    .venv/bin/python tests/benchmarks/render.py [WORLD] [SECONDS OF SOUND]
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np

ROUNDS = 3


def noise(path: Path, seconds: float) -> None:
    samples = (np.random.default_rng(0).standard_normal(int(seconds * 44_100)) * 3000).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        file.writeframes(samples.tobytes())


def render(world: str, sound: Path, out: Path) -> tuple[float, dict[str, float]]:
    program = Path(sys.executable).with_name("sonorama")
    command = [
        str(program),
        "render",
        str(sound),
        "-o",
        str(out),
        "--world",
        world,
        "--device",
        "cpu",
        "--json",
        "--overwrite",
    ]
    begun = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return time.perf_counter() - begun, json.loads(done.stdout)


def main() -> None:
    world = sys.argv[1] if len(sys.argv) > 1 else "shore"
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
    with tempfile.TemporaryDirectory() as folder:
        short, long = Path(folder) / "short.wav", Path(folder) / "long.wav"
        noise(short, 0.02)
        noise(long, seconds)
        first = [render(world, short, Path(folder) / "a.mp4")[0] for _ in range(ROUNDS)]
        runs = [render(world, long, Path(folder) / "b.mp4") for _ in range(ROUNDS)]
    print(f"a film of one frame, whole process: {statistics.median(first):.2f} s")
    whole = statistics.median(wall for wall, _ in runs)
    inner = statistics.median(report["wall_seconds"] for _, report in runs)
    print(f"{seconds:.0f} s of sound: {seconds / whole:.2f}x real time as a process")
    print(f"without its start: {seconds / inner:.2f}x")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
