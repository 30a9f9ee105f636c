"""`sonorama edit` from end to end, and films of the codes that it saves."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from sonorama.engine.cli.main import main
from sonorama.engine.editing import encoder
from sonorama.engine.model.base_code import find_code, read_code
from sonorama.export.provenance import read_manifest

from ..engine.editing.test_inversion import write_photo, write_video
from ..export.certificates import make_chain
from .test_render import write_wav

QUICK = ("--loss", "perceptual", "--side", "32", "--steps", "2", "--following", "1", "--device", "ort")


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(encoder, "SEEDS", 16)
    write_photo(tmp_path / "beach.png")
    write_wav("rain.wav", 0.4)


def frames_of(path: str) -> list[np.ndarray]:
    with av.open(path) as film:
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]


def test_a_photo_becomes_a_film_that_its_code_makes_again(tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    common = ("--world", tiny_world, "--fps", "10")
    shown = ("--show-inversion", "pair.png", "--save-code", "beach.code", "--json")
    assert main(["edit", "beach.png", "--sound", "rain.wav", "-o", "a.mp4", *common, *QUICK, *shown]) == 0
    out, err = capsys.readouterr()
    report, code = json.loads(out), read_code(Path("beach.code"))
    assert (report["frames"], report["code"]) == (4, code.name)
    assert "feature distance" in err and "not LPIPS" in err and "LPIPS-" not in err
    assert set(report["optimised"]) == {"mse", "feature_distance", "cosine", "w_norm"}
    assert frames_of("pair.png")[0].shape == (40, 76, 3)  # two of 32 px, with gaps
    sidecar = json.loads(Path("a.mp4.json").read_text())
    assert sidecar["codes"] == [code.facts()]
    values = sidecar["values"]
    assert (values["/look/code"], values["/look/travel"], values["/look/sway"]) == (code.name, 0.0, 0.0)

    again = ("--code", "beach.code", "--set", "/look/travel=0", "--set", "/look/sway=0")
    assert main(["render", "rain.wav", "-o", "b.mp4", *common, "--device", "ort", *again]) == 0
    np.testing.assert_array_equal(frames_of("a.mp4"), frames_of("b.mp4"))
    assert main(["render", "rain.wav", "-o", "c.mp4", *common, "--device", "ort"]) == 0
    assert not np.array_equal(frames_of("a.mp4"), frames_of("c.mp4"))


def test_a_video_follows_its_own_sound_frame_by_frame(tiny_world: str) -> None:
    write_video(Path("v.mkv"), 4, 10)
    assert main(["edit", "v.mkv", "-o", "a.mp4", "--world", tiny_world, "--fps", "10", *QUICK]) == 2  # it is silent
    options = ("--sound", "rain.wav", "--fps", "10", "--save-code", "v.code")
    assert main(["edit", "v.mkv", "-o", "a.mp4", "--world", tiny_world, *options, *QUICK]) == 0
    assert read_code(Path("v.code")).w.shape[0] == 4
    assert len(frames_of("a.mp4")) == 4


def test_one_picture_at_a_time_of_the_sound(tiny_world: str) -> None:
    def edit(out: str, at: str, *more: str) -> np.ndarray:
        options = ("--sound", "rain.wav", "-o", out, "--at", at, "--world", tiny_world)
        assert main(["edit", "beach.png", *options, "--encoder-only", *QUICK, *more]) == 0
        return frames_of(out)[0]

    first, later = edit("a.png", "0"), edit("b.png", "0.3")
    assert first.shape == (64, 64, 3) and not np.array_equal(first, later)
    muted = [f"--set=/motion/{level}/mute=1" for level in ("coarse", "mid", "fine")]
    np.testing.assert_array_equal(edit("c.png", "0.3", *muted), edit("d.png", "0", *muted))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("beach.png", "-o", "a.mp4"), "is a photo and has no sound"),
        (("rain.wav", "-o", "a.mp4"), "is no picture that can be read"),
        (("missing.png", "--sound", "rain.wav", "-o", "a.mp4"), "does not exist"),
        (("beach.png", "--sound", "rain.wav", "-o", "a.png"), "--at and an OUT.png belong together"),
        (("beach.png", "--sound", "rain.wav", "-o", "a.mp4", "--at", "1"), "--at and an OUT.png belong together"),
        (("beach.png", "--sound", "rain.wav", "-o", "beach.png", "--at", "1"), "is there already"),
        (("beach.png", "--sound", "rain.wav", "-o", "no/a.mp4"), "There is no folder no"),
        (("beach.png", "--sound", "rain.wav", "-o", "a.mp4", "--save-code", "beach.png"), "is there already"),
        (("beach.png", "--sound", "rain.wav", "-o", "a.mp4", "--loss", "clip"), "sees no pictures"),
        (("beach.png", "--sound", "rain.wav", "-o", "a.mp4", "--steps", "many"), "is no number of steps"),
        (("beach.png", "--sound", "rain.wav", "-o", "a.png", "--at", "99"), "--at 99 is after the end of the sound"),
        (("beach.png", "--sound", "rain.wav", "-o", "a.png", "--at", "-1"), "--at -1 is no length of time"),
        (("cut.jpg", "--sound", "rain.wav", "-o", "a.mp4"), "is no picture that can be read"),
    ],
)
def test_bad_input_is_refused_in_two_lines(
    tiny_world: str, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    if "cut.jpg" in arguments:  # FFmpeg by itself paints what is missing green
        Image.effect_noise((320, 180), 60).convert("RGB").save("cut.jpg", quality=95)
        Path("cut.jpg").write_bytes(Path("cut.jpg").read_bytes()[:5000])
    loss = () if "--loss" in arguments else ("--loss", "l2")
    assert main(["edit", *arguments, *loss, "--world", tiny_world]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 2
    assert not Path("a.mp4").exists()


def test_a_code_of_another_world_is_refused(tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--sound", "rain.wav", "-o", "a.png", "--at", "0", "--save-code", "beach.code", "--encoder-only")
    assert main(["edit", "beach.png", *options, "--world", tiny_world, *QUICK]) == 0
    capsys.readouterr()
    assert main(["render", "rain.wav", "-o", "a.mp4", "--code", "beach.code", "--world", "shore"]) == 2
    assert "is a code of another world" in capsys.readouterr().err
    assert find_code(read_code(Path("beach.code")).name)  # remembered by this process


def test_one_picture_is_signed(tiny_world: str, tmp_path: Path) -> None:
    chain, key, anchor = make_chain(tmp_path)
    options = ("--sound", "rain.wav", "-o", "a.png", "--at", "0", "--encoder-only", "--sign", str(chain))
    assert main(["edit", "beach.png", *options, "--world", tiny_world, *QUICK]) == 2  # no key
    assert main(["edit", "beach.png", *options, "--key", str(key), "--world", tiny_world, *QUICK]) == 0
    with Path("a.png").open("rb") as file:
        told = read_manifest(file, ".png", anchor)
    assert (told["state"], told["manifest"]["title"]) == ("Trusted", "rain")


def test_a_text_is_refined_from_its_best_seed(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--refine", "2", "--text", "a red canyon", "--fps", "5", "--duration", "0.2", "--device", "ort")
    assert main(["render", "rain.wav", "-o", "a.mp4", *options]) == 0
    assert "Cosine of picture and text" in capsys.readouterr().err
    assert json.loads(Path("a.mp4.json").read_text())["codes"][0]["source"] == "a red canyon"
    assert main(["render", "rain.wav", "-o", "b.mp4", "--refine", "2"]) == 2
    assert "--refine needs a text" in capsys.readouterr().err
    base = ("--save-code", "beach.code", "--at", "0", "--encoder-only", "--device", "ort")
    assert main(["edit", "beach.png", "--sound", "rain.wav", "-o", "a.png", *base]) == 0
    capsys.readouterr()
    both = ("--refine", "2", "--text", "a red canyon", "--code", "beach.code")
    assert main(["render", "rain.wav", "-o", "b.mp4", *both]) == 2
    assert "not from --code" in capsys.readouterr().err
