"""Decoding with time stamps beside decoding alone: python tests/benchmarks/decoding.py

Each file is read three times by turns in the order of its packets, and by `timeline.decode`, which places every
block; the figure is the ratio of the processor times of the fastest runs.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from sonorama.engine.audio.decode import decode_stamped
from sonorama.engine.audio.timeline import decode

_CODECS = {"a.wav": "pcm_s16le", "a.flac": "flac", "a.m4a": "aac", "a.mp3": "libmp3lame", "a.opus": "libopus"}


def counted(path: Path) -> int:
    """As it was before stamps: blocks in order, joined to 8,192 samples."""
    waiting: list[np.ndarray] = []
    samples = 0
    for _, piece in decode_stamped(path):
        waiting.append(piece)
        if sum(part.shape[1] for part in waiting) >= 8192:
            samples += np.concatenate(waiting, axis=1).shape[1]
            waiting = []
    return samples + sum(part.shape[1] for part in waiting)


def placed(path: Path) -> int:
    """As it is now."""
    return sum(piece.shape[1] for piece in decode(path) if isinstance(piece, np.ndarray))


def seconds(read: Callable[[Path], int], path: Path) -> float:
    """Processor time of one run, of all threads."""
    begun = time.process_time()
    read(path)
    return time.process_time() - begun


def main() -> int:
    """Print a line for each format."""
    with tempfile.TemporaryDirectory() as folder:
        for name, codec in _CODECS.items():
            path = Path(folder) / name
            make = ["-f", "lavfi", "-i", "anoisesrc=d=120:a=0.3:r=48000", "-ac", "2", "-c:a", codec, str(path)]
            subprocess.run(["ffmpeg", "-v", "error", *make], check=True)
            runs = [(seconds(counted, path), seconds(placed, path)) for _ in range(3)]
            before, now = (min(run[k] for run in runs) for k in (0, 1))
            sys.stdout.write(f"{name[2:]:5} {before:.3f} s without stamps, {now:.3f} s with: {now / before:.2f}\n")
    sys.stdout.write(f"PyAV {av.__version__}, 120 s of stereo at 48 kHz\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
