"""What the analysis of music costs: CPU time of the 33 ms of sound of one frame, against one plain spectrum.

Run it on a quiet machine:
    .venv/bin/python tests/benchmarks/analysis.py
"""

import statistics
import time

import numpy as np

from sonorama.engine.audio.features import FeatureExtractor
from sonorama.engine.units import SAMPLE_RATE

FRAME = SAMPLE_RATE // 30
ROUNDS = 600


def main() -> None:
    sound = (np.random.default_rng(0).standard_normal(FRAME * (ROUNDS + 300)) * 0.1).astype(np.float32)
    analysis, frames, spectra = FeatureExtractor(), [], []
    analysis.push(sound[: FRAME * 300])
    for start in range(FRAME * 300, len(sound), FRAME):
        begun = time.process_time_ns()
        np.fft.rfft(sound[start - 1024 : start].astype(np.float64))
        spectra.append(time.process_time_ns() - begun)
        begun = time.process_time_ns()
        analysis.push(sound[start : start + FRAME])
        analysis.at(analysis.samples)
        frames.append(time.process_time_ns() - begun)
    frame, spectrum = statistics.median(frames) / 1e6, statistics.median(spectra) / 1e6
    print(f"33 ms of sound: {frame:.3f} ms, longest {max(frames) / 1e6:.3f} ms")
    print(f"one spectrum of 1,024 samples: {spectrum:.4f} ms; a frame costs {frame / spectrum:.0f} of them")


if __name__ == "__main__":
    main()
