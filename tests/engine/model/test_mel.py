import numpy as np
import pytest
import torch
import torchaudio

from sonorama.engine.model.mel import BANDS, HOP, N_FFT, MelStream, last_columns, log_mel
from sonorama.engine.units import SAMPLE_RATE


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(int(seconds * SAMPLE_RATE)) * 0.1).astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_any_chunking_equals_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sound = noise(2.0, seed)
    stream, parts, at = MelStream(), [], 0
    while at < len(sound):
        n = int(rng.integers(0, 5000))
        parts.append(stream.push(sound[at : at + n]))
        at += n
    assert np.abs(np.concatenate(parts, axis=1) - log_mel(sound)).max() <= 1e-6


def test_equals_torchaudio() -> None:
    sound = noise(1.0)
    mel = torchaudio.transforms.MelSpectrogram(
        SAMPLE_RATE, N_FFT, hop_length=HOP, center=False, n_mels=BANDS, power=2.0, norm="slaney", mel_scale="slaney"
    )
    sine = torch.sin(2 * torch.pi * 1000 / SAMPLE_RATE * torch.arange(N_FFT))
    reference = mel(sine).max()
    padded = torch.from_numpy(np.concatenate([np.zeros(N_FFT - HOP, np.float32), sound]))
    db = 10 * torch.log10((mel(padded) / reference).clamp(min=1e-8))
    assert np.abs((1 + db / 80).clamp(0, 1).numpy() - log_mel(sound)).max() < 1e-4


def test_causal() -> None:
    sound = noise(1.0)
    changed = sound.copy()
    changed[20_000:] = 0
    same = 20_000 // HOP
    assert np.array_equal(log_mel(sound)[:, :same], log_mel(changed)[:, :same])
    assert not np.array_equal(log_mel(sound)[:, same:], log_mel(changed)[:, same:])


def test_reference_floor_and_gain() -> None:
    sine = np.sin(2 * np.pi * 1000 / SAMPLE_RATE * np.arange(SAMPLE_RATE)).astype(np.float32)
    assert log_mel(sine)[:, 10:].max() == pytest.approx(1.0, abs=1e-3)
    assert log_mel(sine * 0.1)[:, 10:].max() == pytest.approx(0.75, abs=1e-3)
    assert log_mel(np.zeros(SAMPLE_RATE, np.float32)).max() == 0.0


def test_column_count_and_silence_before_the_start() -> None:
    columns = log_mel(noise(0.5))
    assert columns.shape == (BANDS, int(0.5 * SAMPLE_RATE) // HOP)
    window = last_columns(columns, 5, 88)
    assert window.shape == (BANDS, 88)
    assert not window[:, :83].any()
    assert np.array_equal(window[:, 83:], columns[:, :5])
