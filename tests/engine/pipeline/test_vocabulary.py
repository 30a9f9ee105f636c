"""What a world knows by name beyond its classes: scores, labels, and that other sounds do not become weather."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.cli.main import main
from sonorama.engine.errors import ValueRefused, WorldError
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.inference.text_encoder import told_unknown
from sonorama.engine.model.joint_space import NOTHING, WHOLE, Vocabulary
from sonorama.engine.model.world_file import World, load_world
from sonorama.engine.pipeline.classify import SHOWN, classify, with_labels
from sonorama.engine.pipeline.conditioning_worker import Request
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.prompt import logged_prompt_seed, prompt_seed
from sonorama.engine.pipeline.scores import scores
from sonorama.engine.units import SAMPLE_RATE

from ...worlds import CLASSES, with_card, write_world

OTHERS = ("Speech", "Guitar", "Applause", "Hum")
SOUND = np.random.default_rng(2).standard_normal(2 * SAMPLE_RATE).astype(np.float32) * np.float32(0.1)


def vocabulary(names: int = 4) -> Vocabulary:
    return Vocabulary(CLASSES, OTHERS[:names], np.eye(3 + names, 8, dtype=np.float32), 10.0)


def code(*parts: float) -> np.ndarray:
    x = np.array([*parts, *[0.0] * (8 - len(parts))], np.float32)
    return x / np.linalg.norm(x)


def test_a_class_belongs_and_another_sound_does_not() -> None:
    known = vocabulary()
    rain, speech = code(1.0), code(0, 0, 0, 1.0)
    assert known.belonging(rain) > 0.99 and known.strength(rain) == 1.0
    assert known.belonging(speech) < 0.01 and known.strength(speech) == 0.0
    assert sum(known.scores(speech).values()) == pytest.approx(1.0)
    assert max(known.scores(speech).items(), key=lambda pair: pair[1])[0] == "Speech"


def test_strength_rises_with_belonging() -> None:
    known = vocabulary()
    mixtures = [code(share, 0, 0, 1 - share) for share in np.linspace(0, 1, 101)]
    strength = [known.strength(one) for one in mixtures]
    assert strength == sorted(strength)
    assert {0.0, 1.0} < set(strength)
    for one, by in zip(mixtures, strength, strict=True):
        assert (by == 0) == (known.belonging(one) <= NOTHING)
        assert (by == 1) == (known.belonging(one) >= WHOLE)


def test_a_world_without_other_names_moves_by_everything() -> None:
    known = vocabulary(0)
    assert known.strength(code(0, 0, 0, 1.0)) == 1.0


@pytest.fixture
def named(tmp_path: Path) -> tuple[World, Path]:
    """A world with other names, and its file."""
    path = tmp_path / "named.safetensors"
    write_world(path, names=OTHERS)
    return load_world(path), path


def request() -> Request:
    rng = np.random.default_rng(3)
    return Request(1, 0, *(rng.random((128, n)).astype(np.float32) for n in (88, 344)))


def heard_as(world: World, number: int) -> LoadedWorld:
    """The world, in whose vocabulary the sound of `request` is exactly the class or name of that number."""
    backend = open_backend(world, "reference")
    sound = backend.embed_sound(request().sound)
    codes = world.vocabulary.codes - np.outer(world.vocabulary.codes @ sound, sound)
    codes[number] = sound
    tensors = {**world.tensors, "labels.codes": codes[: len(CLASSES)], "names.codes": codes[len(CLASSES) :]}
    return LoadedWorld(World(world.card, tensors), backend)


def test_what_is_none_of_the_classes_does_not_displace(named: tuple[World, Path]) -> None:
    as_rain, as_speech = heard_as(named[0], 0), heard_as(named[0], len(CLASSES))
    rain, speech = (one.sound_networks.evaluate(request()) for one in (as_rain, as_speech))
    assert rain.code is not None and speech.code is not None
    whole, _ = as_rain.backend.invert_sound(request().window, rain.code)
    assert np.abs(whole).max() > 0
    assert np.array_equal(rain.displacement, whole)
    assert not speech.displacement.any()
    assert speech.presence == rain.presence > 0  # level, bands and onsets go on
    assert scores(as_speech.world, speech.code)[0][0] == "Speech"


def test_names_are_among_the_scores_and_labels_among_the_classes(named: tuple[World, Path]) -> None:
    world, _ = named
    for window in classify(world, [SOUND]):
        assert window.scores.keys() >= {*CLASSES}
        assert all(score >= SHOWN or name in CLASSES for name, score in window.scores.items())
    assert with_labels(world, ["Guitar", "rain"]) is world.vocabulary
    with pytest.raises(WorldError, match="no text encoder"):
        with_labels(world, ["a choir"])


def test_hear_says_names(named: tuple[World, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _, path = named
    sound = tmp_path / "s.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((SOUND * 32767).astype(np.int16).tobytes())
    assert main(["hear", str(sound), "--world", str(path), "--json", "--label", "Applause"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["scores"].keys() >= {*CLASSES, "Applause"}
    assert sum(line["scores"].values()) == pytest.approx(1.0, abs=SHOWN * len(OTHERS))


def test_a_card_whose_names_have_no_codes_is_refused(named: tuple[World, Path], tmp_path: Path) -> None:
    _, path = named
    with_card(path, tmp_path / "more.safetensors", lambda values: values["names"].append("Whistle"))
    with pytest.raises(WorldError, match=r"names\.codes"):
        load_world(tmp_path / "more.safetensors")


def test_unknown_words_are_said_to_be_unknown(caplog: pytest.LogCaptureFixture) -> None:
    shore = load_world("shore")
    assert told_unknown(shore, "a red canyon, thunder and lightning!") == ""
    assert told_unknown(shore, "Zebra crossing, a zebra at dusk").endswith(
        "zebra, crossing; the rest of the text counts."
    )
    assert told_unknown(shore, "\U0001f327").endswith("no word of the text is known.")
    with_labels(shore, ["rain on a xylophone"])
    assert "does not know: xylophone" in caplog.text
    caplog.clear()
    logged_prompt_seed(shore, "a stormy sea")
    assert caplog.text == ""
    assert logged_prompt_seed(shore, "a stormy xylophone") == prompt_seed(shore, "a stormy xylophone")
    assert "does not know: xylophone" in caplog.text


@pytest.mark.parametrize("text", ["xylophone", "Silence!", "\U0001f327", "..."])
def test_a_text_without_a_known_word_is_neither_a_label_nor_a_place(text: str) -> None:
    shore = load_world("shore")
    assert with_labels(shore, [text, "a stormy sea"]).classes == (*shore.vocabulary.classes, "a stormy sea")
    with pytest.raises(ValueRefused, match="knows no word"):
        prompt_seed(shore, text)


def test_a_label_of_unknown_words_has_no_score(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert main(["hear", "examples/rain.ogg", "--world", "shore", "--label", "zorblax"]) == 0
    assert "zorblax" not in capsys.readouterr().out
    assert "does not know: zorblax" in caplog.text


def test_an_empty_label_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hear", "examples/rain.ogg", "--label", " "]) == 2
    assert "empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("label", "found"),
    [
        ("speech", "Speech"),
        ("  SPEECH ", "Speech"),
        ("bird song", "Bird vocalization, bird song"),
        ("bird vocalization, bird song", "Bird vocalization, bird song"),
        ("Raindrop", "rain"),
        ("drizzle", "rain"),
        ("fire crackling", "fire_crackling"),
        ("bird", None),
        ("", None),
    ],
)
def test_a_label_finds_its_name(label: str, found: str | None) -> None:
    classes, other = ("rain", "fire_crackling"), ("Speech", "Bird vocalization, bird song")
    aliases = {"Raindrop": "rain", "Mist, drizzle": "rain"}
    assert Vocabulary(classes, other, np.eye(4, 8, dtype=np.float32), 10.0, aliases).find(label) == found


def test_aliases_name_classes_of_the_card(tmp_path: Path) -> None:
    write_world(tmp_path / "a.safetensors")
    with_card(
        tmp_path / "a.safetensors", tmp_path / "b.safetensors", lambda card: card.update(aliases={"Drizzle": "rain"})
    )
    world = load_world(tmp_path / "b.safetensors")
    assert with_labels(world, ["drizzle"]).classes == CLASSES
    with_card(
        tmp_path / "a.safetensors", tmp_path / "c.safetensors", lambda card: card.update(aliases={"Drizzle": "sea"})
    )
    with pytest.raises(WorldError, match="aliases"):
        load_world(tmp_path / "c.safetensors")
