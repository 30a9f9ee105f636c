"""Measures of motion find what is put into clips."""

import numpy as np
import pytest
import torch

from sonorama.engine.model.mel import log_mel
from sonorama.engine.units import SAMPLE_RATE
from sonorama.training.data.scene_motion import SceneDrive, envelope, onset_strength, scene_motion
from sonorama.training.data.sound_windows import COLUMNS_HZ, frame_columns
from sonorama.training.metrics.motion import (
    correlation,
    frame_change,
    frame_onsets,
    onset_correlation,
)

HITS_S = (0.5, 1.2, 1.9)


@pytest.fixture(scope="module")
def clicks() -> torch.Tensor:
    """Log-mel of soft noise with three loud bursts."""
    rng = np.random.default_rng(2)
    x = 0.002 * rng.standard_normal(int(2.5 * SAMPLE_RATE))
    for t in HITS_S:
        at = int(t * SAMPLE_RATE)
        x[at : at + 4410] += 0.5 * rng.standard_normal(4410) * np.exp(-np.arange(4410) / 900)
    return torch.from_numpy(log_mel(x.astype(np.float32)))


def test_onsets_are_where_the_bursts_are(clicks: torch.Tensor) -> None:
    strong = (onset_strength(clicks) > 0.5).nonzero()[:, 0] / COLUMNS_HZ
    for t in HITS_S:
        assert ((strong - t).abs() < 0.08).any()
    assert all(min(abs(s - t) for t in HITS_S) < 0.12 for s in strong.tolist())
    assert envelope(clicks).max() == 1


def test_a_scene_is_stronger_and_faster_where_it_is_loud(clicks: torch.Tensor) -> None:
    columns = frame_columns(20, 30, 15.0)
    strength, time_s = scene_motion(clicks, columns, 15.0, SceneDrive())
    hit = int((HITS_S[1] * COLUMNS_HZ - 20) / COLUMNS_HZ * 15) + 1
    assert strength[hit : hit + 2].max() > strength[hit - 3] + 0.3
    assert (time_s.diff() >= SceneDrive().slow / 15 - 1e-6).all()
    assert time_s.diff()[hit : hit + 2].max() > time_s.diff()[hit - 4]


def test_correlation_finds_motion_with_the_onsets_and_none_without(clicks: torch.Tensor) -> None:
    onsets = frame_onsets(clicks, frame_columns(20, 33, 15.0))
    assert len(onsets) == 32
    moving = torch.cat([torch.zeros(1), onsets[:-1]]) * 3 + 0.1  # one frame late
    assert onset_correlation([moving], [onsets]) > 0.99
    assert abs(onset_correlation([torch.full((32,), 2.0)], [onsets])) == 0
    assert correlation(onsets, -onsets) == pytest.approx(-1)


def test_change_is_in_levels() -> None:
    frames = torch.zeros(3, 3, 8, 8, dtype=torch.uint8)
    frames[1] = 10
    assert frame_change(frames).tolist() == [10, 10]
    assert frame_change(frames.float() / 127.5 - 1).tolist() == pytest.approx([10, 10])
