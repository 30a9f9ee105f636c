"""What a 1080p ProRes film costs beyond its encoder: CPU milliseconds a frame, painted from a square of 256 px.

    python tests/benchmarks/prores.py

Medians of three runs of 20 frames in one process: the encoder alone, fed frames that are converted already; the
converter alone; and the whole film with its sound. docs/film.md has the ratio.
"""

import statistics
import tempfile
import time
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from writing import SIDE, pictures

from sonorama.engine.audio.audio_file import open_sound
from sonorama.export.film import Look, video_writer
from sonorama.export.picture import Converter
from sonorama.export.picture_stream import add_picture
from sonorama.export.presets import PRESETS

FRAMES, RUNS, SIZE, RATE = 20, 3, (1920, 1080), Fraction(30)
PRESET = PRESETS["prores-422hq"]


def cpu_ms(work: Callable[[], object]) -> float:
    """CPU time of all threads, a frame."""
    times = []
    for _ in range(RUNS):
        begun = time.process_time()
        work()
        times.append((time.process_time() - begun) / FRAMES * 1000)
    return statistics.median(times)


def encode(converted: list[VideoFrame], film: Path) -> None:
    """The encoder alone, into packets that nobody writes."""
    with av.open(str(film), "w", "mov") as container:
        stream = add_picture(container, PRESET, SIZE, RATE, None)
        for index, picture in enumerate(converted):
            picture.pts, picture.time_base = index, 1 / RATE
            list(stream.encode(picture))
        list(stream.encode(None))


def write(frames: list[np.ndarray], wav: Path, film: Path) -> None:
    """A whole film."""
    look = Look(PRESET, (SIDE, SIDE), SIZE, "cover", RATE, "00:00:00:00", {})
    with open_sound(wav) as sound, video_writer(film, look, sound, sound.blocks(0, FRAMES / 30)) as writer:
        for frame in frames:
            writer.write(frame)


def main() -> None:
    """Measure and print."""
    frames = pictures()[:FRAMES]
    convert = Converter(PRESET, (SIDE, SIDE), SIZE, "cover")
    converted = [convert(frame) for frame in frames]
    with tempfile.TemporaryDirectory() as name:
        wav, film = Path(name) / "rain.wav", Path(name) / "film.mov"
        noise = np.random.default_rng(1).integers(-9999, 9999, 48_000, dtype=np.int16)
        with wave.open(str(wav), "wb") as file:
            file.setparams((1, 2, 48_000, len(noise), "NONE", ""))
            file.writeframes(noise.tobytes())
        alone = cpu_ms(lambda: encode(converted, film))
        conversion = cpu_ms(lambda: [convert(frame) for frame in frames])
        whole = cpu_ms(lambda: write(frames, wav, film))
    print(f"encoder {alone:.1f} ms, converter {conversion:.1f} ms, whole film {whole:.1f} ms a frame")
    print(f"the film costs {whole / alone:.2f} times what its encoder alone costs")


if __name__ == "__main__":
    main()
