"""Films of another model: what it needs is written, its films are read as they are, and what is missing is said."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from sonorama.engine.errors import InputError, OutputError
from sonorama.engine.units import SAMPLE_RATE
from sonorama.training.evaluate.conditions import FPS, Playback, Stimulus
from sonorama.training.evaluate.other_models import OtherModel, film_name, write_sounds

SEEDS = (1, 2)
SOUND = (0.3 * np.sin(np.arange(SAMPLE_RATE) * 0.05)).astype(np.float32)
SOFT = SOUND * np.float32(0.5)
HEARD = [Stimulus(SOUND, "raining", "somebody", SOUND), Stimulus(SOFT, "wind_noise", "somebody", SOUND)]


def write_film(path: Path, count: int, rate: int = FPS) -> None:
    """Frames of one grey each, brighter from one to the next."""
    with av.open(str(path), "w") as box:
        stream = box.add_stream("ffv1", rate=rate, width=96, height=64, pix_fmt="bgr0")
        for k in range(count):
            grey = np.full((64, 96, 3), 10 * k, np.uint8)
            box.mux(stream.encode(av.VideoFrame.from_ndarray(grey, "rgb24").reformat(format="bgr0")))
        box.mux(stream.encode(None))


def write_films(folder: Path, count: int = 12) -> Path:
    folder.mkdir()
    for number, stimulus in enumerate(HEARD):
        for seed in SEEDS:
            write_film(folder / f"{film_name(number, stimulus, seed)}.mkv", count)
    return folder


def test_sounds_and_first_pictures_are_those_of_our_films(playback: Playback, tmp_path: Path) -> None:
    out = tmp_path / "new" / "sounds"
    write_sounds(out, playback, HEARD, SEEDS)
    assert sorted(path.name for path in out.iterdir()) == [
        "01-raining-seed-1.png", "01-raining-seed-2.png", "01-raining.wav",
        "02-wind_noise-seed-1.png", "02-wind_noise-seed-2.png", "02-wind_noise.wav",
    ]  # fmt: skip
    with wave.open(str(out / "02-wind_noise.wav")) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (1, SAMPLE_RATE, 0.8 * SAMPLE_RATE)
        samples = np.frombuffer(file.readframes(10**6), "<i2") / 32767
    np.testing.assert_allclose(samples, playback.cut(SOFT), atol=1e-4)
    shown = np.asarray(Image.open(out / "01-raining-seed-2.png").convert("RGB")) / 255
    np.testing.assert_allclose(shown, playback.backend.synthesize(playback.base(2)).clip(0, 1), atol=1 / 500)
    with pytest.raises(OutputError, match="is not empty"):
        write_sounds(out, playback, HEARD, SEEDS)


def test_a_film_is_read_at_our_rate_and_shape(playback: Playback, tmp_path: Path) -> None:
    films = write_films(tmp_path / "films")
    write_film(films / "02-wind_noise-seed-2.mkv", 24, 2 * FPS)
    found = OtherModel.find(f"CCVS={films}", HEARD, SEEDS, ["ours"])
    high, wide = playback.world.card.generator.shape()
    one, fast = found.frames(playback, 0, 1), found.frames(playback, 1, 2)
    assert one.shape == fast.shape == (12, 3, high, wide)
    greys = (one.mean((1, 2, 3)) + 1) * 127.5
    np.testing.assert_allclose(greys, 10 * np.arange(12), atol=1)
    np.testing.assert_allclose((fast.mean((1, 2, 3)) + 1) * 127.5, 20 * np.arange(12), atol=1)
    same = found.fingerprint()
    write_film(films / "01-raining-seed-1.mkv", 11)
    assert found.fingerprint() != same


def test_what_is_missing_is_said(playback: Playback, tmp_path: Path) -> None:
    films = write_films(tmp_path / "films", count=5)
    found = OtherModel.find(f"CCVS={films}", HEARD, SEEDS, [])
    with pytest.raises(InputError, match=r"01-raining-seed-1.mkv lasts 0.3 s"):
        found.frames(playback, 0, 1)
    (films / "02-wind_noise-seed-1.mkv").unlink()
    (films / "02-wind_noise-seed-2.mkv").unlink()
    (films / "text").write_text("no folder")
    for given, words in (
        (f"CCVS={films}", "has no film 02-wind_noise-seed-1 and 1 more"),
        (f"Ours={films}", "there is a condition of that name"),
        (f"CCVS={films}/text", "text is no folder"),
        (f"CCVS={films}/none", "none is no folder"),
        ("CCVS", "--films CCVS"),
        ("=films", "--films =films"),
    ):
        with pytest.raises(InputError, match=words):
            OtherModel.find(given, HEARD, SEEDS, ["ours"])


def test_all_films_are_read_before_anything_is_measured(playback: Playback, tmp_path: Path) -> None:
    films = write_films(tmp_path / "films")
    found = OtherModel.find(f"CCVS={films}", HEARD, SEEDS, [])
    found.check(playback)
    (films / "02-wind_noise-seed-2.mkv").write_text("no film")
    with pytest.raises(InputError, match=r"02-wind_noise-seed-2.mkv is no film that can be read"):
        found.check(playback)
    (films / "02-wind_noise-seed-2.mp4").write_bytes(b"")
    with pytest.raises(InputError, match=r"has 02-wind_noise-seed-2.mp4 and 02-wind_noise-seed-2.mkv"):
        OtherModel.find(f"CCVS={films}", HEARD, SEEDS, [])
