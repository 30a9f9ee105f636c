"""Soundtracks lie where their stamps say, to the sample where the codec is exact."""

from pathlib import Path

import av
import numpy as np
import pytest
from tests.disks import small_disk

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.errors import InputError, OutputError
from sonorama.training.footage.soundtrack import write_soundtrack

from .media import MP4, Sound, moving, noise, write_sound, write_video


def read(path: Path) -> np.ndarray:
    with open_sound(path) as sound:
        assert sound.rate == 44100 and sound.channels == 1
        return np.concatenate([*sound.mono()])


@pytest.mark.parametrize("suffix", [".mkv", ".mov"])
@pytest.mark.parametrize("start", [0.0, 0.4])
def test_every_sample_and_the_start_are_exact(tmp_path: Path, suffix: str, start: float) -> None:
    samples = noise(1.0)
    coding = MP4 if suffix == ".mov" else None
    path = write_video(tmp_path / f"a{suffix}", moving(1, 30), sound=Sound(samples, start=start), coding=coding)
    track = write_soundtrack(tmp_path / "a.flac", path)
    assert float(track.start) == pytest.approx(start, abs=0.001)
    assert track.samples == len(samples) and track.problem == ""
    assert np.abs(read(tmp_path / "a.flac") - samples).max() <= 3 / 32767


@pytest.mark.parametrize("codec", ["mp2", "aac"])
def test_sound_in_a_transport_stream_is_within_a_frame(tmp_path: Path, codec: str) -> None:
    samples = noise(1.5) * 0.01
    samples[44100:44110] = 0.9
    path = write_video(tmp_path / "a.ts", moving(1, 40), sound=Sound(samples, start=0.5, codec=codec), coding=MP4)
    track = write_soundtrack(tmp_path / "a.flac", path)
    with av.open(str(path)) as container:
        pictures = container.streams.video[0]
        assert pictures.start_time is not None and pictures.time_base is not None
        begin = pictures.start_time * pictures.time_base
    click = int(np.abs(read(tmp_path / "a.flac")).argmax()) / 44100 + float(track.start - begin)
    assert click == pytest.approx(1.5, abs=0.03)


def test_gaps_in_the_stamps_become_silence(tmp_path: Path) -> None:
    samples = noise(1.0)
    sound = Sound(samples, gaps={11520: 0.25, 23040: 0.5})
    track = write_soundtrack(tmp_path / "a.flac", write_video(tmp_path / "a.mkv", moving(1, 30), sound=sound))
    out = read(tmp_path / "a.flac")
    assert len(out) == track.samples == pytest.approx(len(samples) + 0.75 * 44100, abs=100)
    quiet = 11520 + round(0.25 * 44100)
    assert not out[11600 : quiet - 80].any()
    assert np.abs(out[quiet + 44 : 23040 + 11025 - 60]).mean() > 0.1


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_other_rates_become_44100(tmp_path: Path, rate: int) -> None:
    time = np.arange(rate) / rate
    write_sound(tmp_path / "a.wav", (0.5 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32), rate)
    track = write_soundtrack(tmp_path / "a.flac", tmp_path / "a.wav")
    out = read(tmp_path / "a.flac")
    assert track.rate == rate and abs(len(out) - 44100) <= 8
    peak = np.abs(np.fft.rfft(out[4000:40000])).argmax() * 44100 / 36000
    assert peak == pytest.approx(1000, abs=2)


@pytest.mark.parametrize("samples", [np.zeros(44100, np.float32), noise(0.05), np.full(44100, 1e-5, np.float32)])
def test_silence_and_snippets_are_refused(tmp_path: Path, samples: np.ndarray) -> None:
    write_sound(tmp_path / "a.wav", samples)
    with pytest.raises(InputError):
        write_soundtrack(tmp_path / "a.flac", tmp_path / "a.wav")


def test_a_truncated_sound_gives_what_is_there(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", noise(2.0))
    path.write_bytes(path.read_bytes()[:100_000])
    track = write_soundtrack(tmp_path / "a.flac", path)
    assert "truncated" in track.problem and 0.5 < track.samples / 44100 < 1.2


def test_a_sound_that_cannot_be_decoded_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", moving(1, 5), sound=Sound(noise(0.5)))
    (tmp_path / "b.mp3").write_bytes(path.read_bytes()[:600])
    with pytest.raises(InputError):
        write_soundtrack(tmp_path / "a.flac", tmp_path / "b.mp3")


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", noise(4.0, level=0.9))
    with small_disk(tmp_path, 64) as disk, pytest.raises(OutputError, match="full"):
        write_soundtrack(disk / "a.flac", path)
