"""The seed of a recorded sound: the same as by hand, another for another sound, and refused in words."""

from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.errors import SonoramaError
from sonorama.engine.inference.onnx_backend import open_sound_encoder
from sonorama.engine.model.seed_bank import bank_part
from sonorama.engine.model.world_file import World, load_world
from sonorama.engine.pipeline import sound_seed as module
from sonorama.engine.pipeline.classify import sound_windows
from sonorama.engine.pipeline.sound_seed import sound_seed
from sonorama.engine.take.audio_file import SoundFile

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def shore() -> World:
    return load_world("shore")


def write(path: Path, sound: np.ndarray) -> Path:
    file = SoundFile(path)
    file.append(np.stack([sound, sound]).astype(np.float32))
    file.close()
    return path


def bank(world: World) -> np.ndarray:
    codes = bank_part(world.tensors, "codes")
    assert codes is not None
    return codes


@pytest.mark.parametrize("name", ["rain.ogg", "fire.ogg"])
def test_it_is_the_seed_closest_to_all_windows_of_the_file(shore: World, name: str) -> None:
    embed_sound = open_sound_encoder(shore)
    with open_sound(EXAMPLES / name) as sound:
        cosines = [bank(shore) @ embed_sound(window) for _, window in sound_windows(sound.mono())]
    assert len(cosines) > 8
    assert sound_seed(shore, EXAMPLES / name) == np.argmax(np.mean(cosines, axis=0))


def test_other_sounds_have_other_seeds_that_fit_them_better(shore: World) -> None:
    names = ("rain.ogg", "fire.ogg", "thunder-1.ogg")
    seeds = [sound_seed(shore, EXAMPLES / name) for name in names]
    assert len({*seeds}) == len(names)
    known = shore.vocabulary
    fits = bank(shore)[seeds] @ known.codes[: len(known.classes)].T
    for name, asked in enumerate(("raining", "fire_crackling", "thunderstorm")):
        of_class = fits[:, known.classes.index(asked)]
        assert of_class.argmax() == name, (asked, of_class)


def test_silence_after_a_sound_does_not_count(shore: World, tmp_path: Path) -> None:
    with open_sound(EXAMPLES / "rain.ogg") as sound:
        rain = np.concatenate([*sound.mono()])[: 8 * 44_100]
    silence = np.zeros(10 * 44_100, np.float32)
    seeds = {
        sound_seed(shore, write(tmp_path / f"{times}.wav", np.concatenate([rain, *[silence] * times])))
        for times in (1, 6)
    }
    assert len(seeds) == 1


def test_of_a_long_sound_the_beginning_is_heard(shore: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = []
    for name in ("rain.ogg", "fire.ogg"):
        with open_sound(EXAMPLES / name) as sound:
            parts.append(np.concatenate([*sound.mono()])[: 6 * 44_100])
    both = write(tmp_path / "both.wav", np.concatenate(parts))
    alone = write(tmp_path / "rain.wav", parts[0])
    monkeypatch.setattr(module, "LONGEST_S", 6.0)
    assert sound_seed(shore, both) == sound_seed(shore, alone)


def test_what_cannot_be_heard_is_said(shore: World, tiny_world: str, tmp_path: Path) -> None:
    write(tmp_path / "silent.wav", np.zeros(88_200, np.float32))
    (tmp_path / "broken.ogg").write_bytes((EXAMPLES / "rain.ogg").read_bytes()[:40])
    (tmp_path / "notes.wav").write_text("no sound at all")
    for name, said in (("silent.wav", "silent.wav is silent"), ("broken.ogg", ""), ("notes.wav", ""), ("gone.wav", "")):
        with pytest.raises(SonoramaError, match=said or name) as caught:
            sound_seed(shore, tmp_path / name)
        assert name in caught.value.message and caught.value.hint[:1].isupper()
    with pytest.raises(SonoramaError, match="World tiny has no seed bank, from which sounds choose"):
        sound_seed(load_world(tiny_world), EXAMPLES / "rain.ogg")
