"""What a film costs with several jobs: processor time of all processes and wall time, beside one process.

    .venv/bin/python tests/benchmarks/farm.py [WORLD] [SECONDS] [JOBS ...]

The processor time beyond that of the shortest film (start of the processes, world loaded) per second of film, and its
ratio to that of one job: the overhead. Medians of three rounds.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np

ROUNDS = 3


def noise(path: Path, seconds: float) -> Path:
    samples = (np.random.default_rng(0).standard_normal(int(seconds * 44_100)) * 3000).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return path


def cost(world: str, sound: Path, out: Path, jobs: int) -> tuple[float, float]:
    """Processor seconds and wall seconds of a render."""
    program = Path(sys.executable).with_name("sonorama")
    words = [str(program), "render", str(sound), "-o", str(out), "--world", world, "--overwrite", "--device", "cpu"]
    begun, wall = os.times(), time.monotonic()
    subprocess.run([*words, "--jobs", str(jobs)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    ended = os.times()
    spent = ended.children_user + ended.children_system - begun.children_user - begun.children_system
    return spent, time.monotonic() - wall


def main() -> None:
    world = sys.argv[1] if len(sys.argv) > 1 else "shore"
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0
    several = [int(word) for word in sys.argv[3:]] or [1, 2, 4]
    with tempfile.TemporaryDirectory() as folder:
        short, long = noise(Path(folder) / "short.wav", 0.3), noise(Path(folder) / "long.wav", seconds)
        out = Path(folder) / "film.mp4"
        rows = {jobs: list[tuple[float, float]]() for jobs in several}
        for _ in range(ROUNDS):
            for jobs, row in rows.items():
                begin, whole = cost(world, short, out, jobs), cost(world, long, out, jobs)
                row.append((whole[0] - begin[0], whole[1] - begin[1]))
    spent = {jobs: statistics.median(one for one, _ in row) for jobs, row in rows.items()}
    walls = {jobs: statistics.median(one for _, one in row) for jobs, row in rows.items()}
    print("| jobs | processor time a second of film | to the first | wall time a second of film |\n|---|---|---|---|")
    for jobs in several:
        ratio = spent[jobs] / spent[several[0]]
        print(f"| {jobs} | {spent[jobs] / seconds:.2f} s | {ratio:.2f} | {walls[jobs] / seconds:.2f} s |")


if __name__ == "__main__":
    main()
