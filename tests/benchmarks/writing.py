"""How much time writing a film takes from painting it: CPU milliseconds a frame, h264 in mp4 with sound.

    python tests/benchmarks/writing.py

Median of five runs of 150 frames: a drifting picture of soft noise from a square of 256 px.
"""

import statistics
import tempfile
import time
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np

from sonorama.engine.audio.audio_file import Sound, open_sound
from sonorama.export.film import Look, video_writer
from sonorama.export.presets import PRESETS

FRAMES, SIDE, RUNS = 150, 256, 5


def pictures() -> list[np.ndarray]:
    """float32 [height, width, 3]: noise of several sizes that drifts a pixel a frame."""
    random = np.random.default_rng(0)
    whole = np.zeros((SIDE, SIDE + FRAMES, 3))
    for cell in (4, 16, 64):
        coarse = random.random((SIDE // cell + 1, (SIDE + FRAMES) // cell + 1, 3))
        whole += coarse.repeat(cell, 0).repeat(cell, 1)[:SIDE, : SIDE + FRAMES] * cell / 84
    return [np.ascontiguousarray(whole[:, at : at + SIDE], np.float32) for at in range(FRAMES)]


def cpu_ms(folder: Path, sound: Sound, frames: list[np.ndarray], size: tuple[int, int]) -> float:
    """CPU time of all threads for one film, a frame."""
    look = Look(PRESETS["h264"], (SIDE, SIDE), size, "cover", Fraction(30), None, {})
    begun = time.process_time()
    with video_writer(folder / "film.mp4", look, sound, sound.blocks(0, len(frames) / 30)) as writer:
        for frame in frames:
            writer.write(frame)
    return (time.process_time() - begun) / len(frames) * 1000


def main() -> None:
    """Measure and print."""
    frames = pictures()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        noise = np.random.default_rng(1).integers(-9999, 9999, 44_100 * 5, dtype=np.int16)
        with wave.open(str(folder / "rain.wav"), "wb") as file:
            file.setparams((1, 2, 44_100, len(noise), "NONE", ""))
            file.writeframes(noise.tobytes())
        with open_sound(folder / "rain.wav") as sound:
            for size, count in (((SIDE, SIDE), FRAMES), ((1920, 1080), 30)):
                times = [cpu_ms(folder, sound, frames[:count], size) for _ in range(RUNS)]
                print(f"{size[0]}x{size[1]}: {statistics.median(times):.2f} ms of CPU a frame")


if __name__ == "__main__":
    main()
