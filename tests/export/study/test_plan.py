"""What makes a study, and what is refused before anything is painted."""

import json
import re
import shutil
from pathlib import Path

import pytest

from sonorama.engine.cli.main import main
from sonorama.export.study import plan
from sonorama.export.study.codes import coded, wrong_sound
from sonorama.export.study.key import Key, Model, StudySound

from ...worlds import write_world
from .conftest import arguments


def models(count: int) -> list[Model]:
    return [Model("", f"world{n}", "1", f"hash{n}", "ours") for n in range(count)]


def sounds(count: int, reference: str | None = None) -> list[StudySound]:
    return [StudySound(f"s{n}", f"sound{n}", f"hash{n}", n, {}, None, None, reference) for n in range(1, count + 1)]


def test_codes_and_names_are_complete_and_repeatable() -> None:
    mixed, made = coded(models(3), sounds(4, "clip"), "1")
    assert [model.code for model in mixed] == ["A", "B", "C"]
    assert {model.world for model in mixed} == {"world0", "world1", "world2"}
    files = [sound.reference for sound in made] + [film for sound in made for film in sound.films.values()]
    assert sorted(map(str, files)) == [f"film-{n:03}.mp4" for n in range(1, 17)]
    assert (mixed, made) == coded(models(3), sounds(4, "clip"), "1")


def test_no_order_tells_the_models() -> None:
    """Over many studies every model gets every code, and its films every place, about equally often."""
    codes: list[str] = []
    first = 0
    for salt in range(300):
        mixed, made = coded(models(3), sounds(2), str(salt))
        codes += [model.code for model in mixed if model.world == "world0"]
        films = made[0].films
        first += min(films, key=lambda code: films[code]) == codes[-1]
    for count in (first, *(codes.count(code) for code in "ABC")):
        assert 65 < count < 135  # 100 expected, within 4.3 standard deviations


def test_the_wrong_sound_is_of_another_kind() -> None:
    names = ["thunder-1", "Thunder-2", "rain", "fire 3", "thunder_4"]
    assert [names[wrong_sound(names, index)] for index in range(5)] == ["rain", "rain", "fire 3", "thunder_4", "rain"]


def test_the_key_says_it_all(key: Key, study: Path, tiny_world: str) -> None:
    assert sorted(model.variant for model in key.models) == ["no-sound", "ours"]
    assert [(sound.code, sound.name, sound.seed) for sound in key.sounds] == [("s1", "rain", 1), ("s2", "bell-1", 2)]
    assert json.loads((study / "key.json").read_text())["command"]
    assert re.fullmatch("[0-9a-f]{8}", key.version)
    assert {path.name for path in study.iterdir()} == {"page", "key.json", "sonorama.files"}
    assert {path.name for path in (study / "page").iterdir()} == {"index.html", *key.films}


def test_the_examples_are_the_default(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    names = [path.stem for path in plan.default_sounds()]
    assert len(names) >= 9 and "rain" in names
    for index in range(len(names)):
        wrong_sound(names, index)
    monkeypatch.setattr(plan, "__file__", "/usr/lib/python3/dist-packages/sonorama/export/study/plan.py")
    assert main(["study", "shore", "-o", "x"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "No sound was named, and there are no example recordings here", "Name some: --sound FILE",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "first"),
    [
        (["--variant", "ours"], "There is nothing to compare"),
        (["--seconds", "0"], "--seconds 0 is no length of a film"),
        (["--seconds", "nan"], "--seconds nan is no length of a film"),
        (["--seed", "-1"], "--seed -1 is no seed"),
        (["--seed", "2147483647"], "--seed 2147483647 is not possible"),
        (["--size", "65x64"], "Preset h264 needs sizes"),
        (["--set", "/look/seed=3"], "/look/seed cannot be set"),
        (["--set", "/look/nothing=3"], "There is no parameter '/look/nothing'"),
        (["--device", "abacus"], "abacus: no such device"),
        (["--reference", "nowhere"], "There is no folder nowhere"),
        (["--reference", "."], ". has no clip for the sound rain"),
        (["--reference", "twice"], "twice has several clips for the sound rain"),
        (["--reference", "broken"], "broken/rain.mp4 cannot be read as a video"),
        (["--reference", "soundonly"], "soundonly/rain.wav contains no picture"),
        (["--sound", "other/rain.wav"], "Two sounds are called rain"),
        (["--sound", "missing.wav"], "missing.wav cannot be read"),
        (["--overwrite"], "--overwrite is for reports"),
        (["-o", "no/where"], "There is no folder no"),
        (["-o", "a-file"], "a-file is a file, a study needs a folder"),
    ],
)
def test_bad_input_is_refused_in_two_lines(
    more: list[str], first: str, tiny_world: str, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for folder in ("twice", "broken", "soundonly", "other"):
        Path(folder).mkdir()
    Path("a-file").write_text("")
    Path("broken/rain.mp4").write_text("no video")
    Path("broken/bell-1.mp4").write_text("no video")
    for name in ("twice/rain.mp4", "twice/rain.mkv", "soundonly/rain.wav", "other/rain.wav"):
        shutil.copy(inputs / "rain.wav", name)
    before = sorted(tmp_path.rglob("*"))
    assert main(arguments(tiny_world, inputs, Path("out"), *more)) == 2
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 2, err
    assert err[0].startswith(first)
    assert sorted(tmp_path.rglob("*")) == before


def test_worlds_and_sounds_that_make_no_study(
    tiny_world: str, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rain = ["--sound", str(inputs / "rain.wav")]
    copy = shutil.copy(tiny_world, tmp_path / "copy.safetensors")
    worlds = []
    for number in range(3):
        write_world(tmp_path / f"{number}.safetensors", f"world{number}")
        worlds.append(str(tmp_path / f"{number}.safetensors"))
    everything = [f"--variant={name}" for name in ("ours", "no-sound", "static")]
    out = ["-o", str(tmp_path / "out")]
    for line, first in (
        ([], "A study needs a world"),
        ([tiny_world], "wrong-sound needs a sound of another kind than rain, by its file name"),
        ([tiny_world, str(copy)], f"{copy} is the same world as {tiny_world}"),
        (["atlantis"], "atlantis: no such world"),
        ([*worlds, *everything], "3 worlds in 3 variants are 9 models to choose from"),
    ):
        assert main(["study", *line, *rain, *out]) == 2
        err = capsys.readouterr().err.splitlines()
        assert len(err) == 2
        assert err[0].startswith(first)
    assert main(["study", tiny_world, "--sound", "nosuch.wav", *out]) == 2  # read before a wrong sound is looked for
    assert capsys.readouterr().err.startswith("nosuch.wav cannot be read")
    assert main(["study", tiny_world]) == 2
    assert capsys.readouterr().err.startswith("There is no folder to write the study into\n")
