"""Decoding with time stamps beside decoding alone: python tests/benchmarks/decoding.py

Each file is read three times by turns by a plain loop of PyAV, which opens it, decodes every packet, makes float32
[channels, n] of the samples and joins them to blocks of 8,192, in this thread; and by `timeline.decode`, which does
the same in a thread of its own, places every block by its stamp, and looks for covers, edit lists and what is missing.
Nothing of sonorama runs in the plain loop. The figure is the ratio of the processor times, of all threads, of the
fastest runs; it shall be 1.1 at most. How many samples more there are with stamps is printed, too.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame

from sonorama.engine.audio.timeline import decode

_CODECS = {"a.wav": "pcm_s16le", "a.flac": "flac", "a.m4a": "aac", "a.mp3": "libmp3lame", "a.opus": "libopus"}
_BLOCK = 8192
_CHANNELS = 2


def samples_of(frame: AudioFrame) -> np.ndarray:
    """Float32 [channels, n]; full scale is -1..1."""
    data = frame.to_ndarray()
    if not frame.format.is_planar:
        data = data.reshape(-1, _CHANNELS).T
    if data.dtype.kind == "f":
        return data
    return data.astype(np.float32, order="C") * np.float32(2.0 ** (1 - 8 * data.dtype.itemsize))


def blocks(path: Path) -> Iterator[np.ndarray]:
    """As without stamps: frames in order, joined."""
    waiting: list[np.ndarray] = []
    count = 0
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            waiting.append(samples_of(frame))
            count += frame.samples
            if count >= _BLOCK:
                yield np.concatenate(waiting, axis=1)
                waiting, count = [], 0
    if waiting:
        yield np.concatenate(waiting, axis=1)


def plain(path: Path) -> int:
    """Number of samples by a plain loop."""
    return sum(block.shape[1] for block in blocks(path))


def placed(path: Path) -> int:
    """Number of samples as they lie on the timeline."""
    return sum(piece.shape[1] for piece in decode(path) if isinstance(piece, np.ndarray))


def measured(read: Callable[[Path], int], path: Path) -> tuple[float, int]:
    """Processor time of one run, of all threads; number of samples."""
    begun = time.process_time()
    count = read(path)
    return time.process_time() - begun, count


def main() -> int:
    """Print a line for each format."""
    with tempfile.TemporaryDirectory() as folder:
        for name, codec in _CODECS.items():
            path = Path(folder) / name
            make = ["-f", "lavfi", "-i", "anoisesrc=d=120:a=0.3:r=48000", "-ac", str(_CHANNELS), "-c:a", codec]
            subprocess.run(["ffmpeg", "-v", "error", *make, str(path)], check=True)
            runs = [(measured(plain, path), measured(placed, path)) for _ in range(3)]
            (before, count), (now, same) = (min(run[k] for run in runs) for k in (0, 1))
            line = f"{before:.3f} s plain, {now:.3f} s with stamps: {now / before:.2f}; samples {same - count:+d}"
            sys.stdout.write(f"{name[2:]:5} {line}\n")
    sys.stdout.write(f"PyAV {av.__version__}, 120 s of stereo at 48 kHz\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
