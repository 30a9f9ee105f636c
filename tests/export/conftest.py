"""A stage and a sound that every export test may use."""

from pathlib import Path

import numpy as np
import pytest

from .helpers import PatternSource, write_wav


@pytest.fixture
def stage() -> PatternSource:
    """64 x 64 pixels, a smooth picture of many colours."""
    ramp = np.linspace(0, 1, 64, dtype=np.float32)
    return PatternSource(np.stack([*np.meshgrid(ramp, ramp), np.full((64, 64), 0.5, np.float32)], axis=2))


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """0.2 s of stereo noise at 48 kHz."""
    return write_wav(tmp_path / "rain.wav", np.random.default_rng(0).uniform(-0.3, 0.3, (2, 9600)), 48_000)
