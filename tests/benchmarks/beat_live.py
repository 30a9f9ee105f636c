"""The kick at 120 BPM in a running show: epoch folding of the pictures that another program reads from its frame map.

python tests/benchmarks/beat_live.py [WORLD] [SECONDS]        (shore, 30 s)

As beat.py, but through the whole of a show: file source, renderer, output loop, public frame map. Each change between
two new pictures, per second between their samples, is counted at its phase in the beat. Nothing else should run.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))  # for the helpers of the tests

from tests.benchmarks.beat import BINS, BPM, kicks
from tests.live.stage import LiveShow

from sonorama.engine.control.addresses import LOOK_TRAVEL, OUT_FLASH_GUARD
from sonorama.engine.ipc.frame_map import FrameMap
from sonorama.engine.take.audio_file import SoundFile
from sonorama.engine.units import SAMPLE_RATE

WARM_S = 8
BEAT = SAMPLE_RATE * 60 // BPM


def written(path: Path) -> Path:
    """A minute of kicks as a sound file: whole beats, so that it loops without a break."""
    sound = kicks(60.0)
    file = SoundFile(path)
    for start in range(0, len(sound), SAMPLE_RATE):
        file.append(np.stack([sound, sound])[:, start : start + SAMPLE_RATE])
    file.close()
    return path


def seen(show: LiveShow, seconds: float) -> list[tuple[int, np.ndarray]]:
    """New pictures, thinned, with the samples that came before them."""
    frames: list[tuple[int, np.ndarray]] = []
    end = time.monotonic() + seconds
    with FrameMap(show.name) as frame_map:
        count = 0
        while time.monotonic() < end:
            if frame_map.wait(0.2, count) and (slot := frame_map.newest()) is not None:
                count = slot.count
                if not slot.repeated and (not frames or slot.sample != frames[-1][0]):
                    frames.append((slot.sample, slot.pixels[::4, ::4, :3].astype(np.float32) / 255))
    return frames


def changes(frames: list[tuple[int, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Of each change [n]: its bin in the beat, and its root mean square per second."""
    samples, pictures = np.array([sample for sample, _ in frames]), np.stack([picture for _, picture in frames])
    size = np.sqrt(np.square(np.diff(pictures, axis=0)).mean(axis=(1, 2, 3)))
    return (samples[1:] % BEAT) * BINS // BEAT, size * SAMPLE_RATE / np.diff(samples)


def times_chance(bins: np.ndarray, size: np.ndarray, rounds: int = 200) -> float:
    """Variance of the bins' means, divided by its mean with the changes in random order."""

    def variance(values: np.ndarray) -> float:
        return float(np.var([values[bins == number].mean() for number in np.unique(bins)]))

    rng = np.random.default_rng(0)
    return variance(size) / float(np.mean([variance(rng.permutation(size)) for _ in range(rounds)]))


def main() -> None:
    world = sys.argv[1] if len(sys.argv) > 1 else "shore"
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 30.0
    still = ["--set", f"{LOOK_TRAVEL}=0"]
    ways = {"out of the box, without travel": still, "no guard": [*still, "--set", f"{OUT_FLASH_GUARD}=0"]}
    with tempfile.TemporaryDirectory() as folder:
        sound = written(Path(folder) / "kicks.wav")
        for name, values in ways.items():
            with LiveShow(Path(folder), world, "--source", f"file:{sound}", "--no-panel", *values) as show:
                show.playing()
                time.sleep(WARM_S)
                frames = seen(show, seconds)
            chance, rate = times_chance(*changes(frames)), len(frames) / seconds
            print(f"{name:31} {chance:6.1f} times chance, {rate:.1f} pictures a second")


if __name__ == "__main__":
    main()
