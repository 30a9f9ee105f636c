"""The films of a study: what is seen, what is heard, and what the files say of themselves."""

import re
from itertools import combinations
from pathlib import Path

import av
import numpy as np
import pytest

from sonorama.engine.cli.main import main
from sonorama.export.study.key import Key, read_key

from ..helpers import pixels, probe, samples, write_wav
from .conftest import RATE, SECONDS, arguments

SIZE = (64, 64)
FRAMES = 12


@pytest.fixture(scope="module")
def variants(tiny_world: str, inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Key]:
    """A study of all four variants without real clips."""
    out = tmp_path_factory.mktemp("variants") / "study"
    more = [f"--variant={name}" for name in ("ours", "no-sound", "wrong-sound", "static")]
    assert main(arguments(tiny_world, inputs, out, *more, "--seed", "5")) == 0
    return out, read_key(out / "key.json")


def film(variants: tuple[Path, Key], sound: int, variant: str) -> Path:
    out, key = variants
    (code,) = (model.code for model in key.models if model.variant == variant)
    return out / "page" / key.sounds[sound].films[code]


def picture(path: Path) -> np.ndarray:
    return pixels(path, "rgb24", SIZE).astype(np.int16)


def test_the_films_are_those_of_render(
    variants: tuple[Path, Key], tiny_world: str, inputs: Path, tmp_path: Path
) -> None:
    """Driven by the sound that is heard, by another one or by silence: pictures of `sonorama render`, to the bit."""
    options = ["--world", tiny_world, "--device", "ort", "--duration", str(SECONDS), "--seed", "5"]
    silence = write_wav(tmp_path / "silence.wav", np.zeros((1, RATE)), RATE)
    for sound, variant in (
        (inputs / "rain.wav", "ours"), (inputs / "bell-1.wav", "wrong-sound"), (silence, "no-sound")
    ):  # fmt: skip
        out = tmp_path / f"{variant}.mp4"
        around = ["--loop"] if variant == "wrong-sound" else []  # which must last as long as the right one
        assert main(["render", str(sound), "-o", str(out), *options, *around]) == 0
        assert np.array_equal(picture(out), picture(film(variants, 0, variant)))


def test_the_variants_differ(variants: tuple[Path, Key]) -> None:
    ours, silent, wrong, still = (picture(film(variants, 0, v)) for v in ("ours", "no-sound", "wrong-sound", "static"))
    assert len(ours) == len(silent) == len(wrong) == len(still) == FRAMES
    assert not any(np.array_equal(one, other) for one, other in combinations((ours, silent, wrong, still), 2))
    for same in (still[-1], silent[0]):
        assert np.abs(still[0] - same).mean() < 2.5  # the encoder's own changes


def test_the_right_sound_is_heard_in_all(variants: tuple[Path, Key], inputs: Path) -> None:
    right = samples(inputs / "rain.wav", 2, RATE)[: round(SECONDS * RATE)]
    for variant in ("ours", "no-sound", "wrong-sound", "static"):
        heard = samples(film(variants, 0, variant), 2, RATE)[: len(right)]
        assert len(heard) == len(right)
        assert np.corrcoef(heard[:, 0], right[:, 0])[0, 1] > 0.6  # noise loses more than most sounds


def test_real_clips_are_cut_to_size_and_keep_their_sound(study: Path, key: Key, inputs: Path) -> None:
    for number, (sound, name) in enumerate(zip(key.sounds, ("rain.mp4", "bell-1.mkv"), strict=True)):
        assert sound.reference is not None
        path = study / "page" / sound.reference
        told = probe(path)
        assert (told["video"]["width"], told["video"]["height"], told["video"]["nb_read_frames"]) == (64, 64, "12")
        real = pixels(inputs / "clips" / name, "rgb24", ((96, 64), (64, 96))[number]).astype(np.int16)
        middle = real[:, :, 16:80] if number == 0 else real[:, 16:80]
        assert np.abs(picture(path)[0] - middle[0]).mean() < 12
        heard = samples(path, 1, RATE)[:, 0]
        peak = np.fft.rfftfreq(len(heard), 1 / RATE)[np.abs(np.fft.rfft(heard)).argmax()]
        assert peak == pytest.approx(880 if number == 0 else 660, abs=5)  # its own tone, or the recording's


def test_no_file_tells_which_model_it_is(study: Path, key: Key, tiny_world: str) -> None:
    secrets = [key.models[0].sha256[:16], Path(tiny_world).stem, "no-sound", "ours", "wrong", "rain", "bell"]
    for name in key.films:
        with av.open(str(study / "page" / name)) as container:
            told = str([container.metadata, *(stream.metadata for stream in container.streams)])
        real = name in {sound.reference for sound in key.sounds}
        assert ("Synthetic picture, made by sonorama" in told) is not real
        data = (study / "page" / name).read_bytes()
        assert not [secret for secret in secrets if has_word(secret, told) or has_word(secret, data.decode("latin-1"))]
    page = (study / "page" / "index.html").read_text()
    assert not [secret for secret in (*secrets, str(study)) if has_word(secret, page)]


def has_word(secret: str, text: str) -> bool:
    """Whether a word, or a longer secret, is in a text."""
    return re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", text) is not None
