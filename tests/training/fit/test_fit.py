"""`sonorama fit`: the networks of an imported world are trained, packed and played; a finished stage is kept."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from sonorama.engine.cli.main import main
from sonorama.engine.model.build import build_networks
from sonorama.engine.model.motion_rnn import MotionNetwork
from sonorama.engine.model.world_file import INSTALLED, World, load_world, read_card, save_world
from sonorama.training.fit import fit as fitting
from sonorama.training.fit import sounds
from sonorama.training.fit.rest import LEAST
from sonorama.training.stages.motion_by_sound import SoundMotionTraining, guide_motion
from sonorama.training.stages.motion_rest import RestTraining
from sonorama.training.stages.sound_inversion import EncoderTraining
from sonorama.training.status import silent

from ...worlds import write_world

EXAMPLES = Path(__file__).parents[3] / "examples"
SHIPPED = INSTALLED / "shore.safetensors"


def imported(path: Path) -> World:
    """A small generator with the ears, eyes and classes of a shipped world, as an import leaves it."""
    write_world(path, size=32, displacements=True)
    small, base = load_world(path), load_world(SHIPPED)
    card, count = small.card, len(base.card.classes)
    encoder = replace(card.encoder, code_dim=base.card.sound.code_dim)
    rng = np.random.default_rng(1)
    tensors = {name: x for name, x in small.tensors.items() if name.startswith(("generator.", "motion.", "encoder."))}
    tensors |= {name: x for name, x in base.tensors.items() if name.startswith(("sound.", "image.", "labels."))}
    ways = rng.standard_normal((count, card.num_ws, card.w_dim)).astype(np.float32)
    tensors["meaning.displacements"] = ways
    card = replace(
        card, encoder=encoder, sound=base.card.sound, frames=base.card.frames, image=base.card.image, text=None,
        classes=base.card.classes, names=(), joint=base.card.joint, description=f"Small. {fitting.SILENT}",
    )  # fmt: skip
    save_world(path, card, tensors)
    return load_world(path)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONORAMA_WORLDS", str(tmp_path / "worlds"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "worlds").mkdir()
    few = EncoderTraining(steps=2, clips=1, windows=2, cutouts=1, size=32)
    monkeypatch.setattr(fitting, "_how", lambda _, steps: replace(few, steps=steps[0]))
    monkeypatch.setattr(fitting, "SoundMotionTraining", partial(SoundMotionTraining, clips=1, ticks=4, painted=2))
    monkeypatch.setattr(sounds, "DRAWN_EACH", 1)
    return tmp_path


def test_networks_are_trained_and_a_finished_stage_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "worlds" / "small.safetensors"
    before = imported(path)
    monkeypatch.setattr(fitting, "_steps", lambda *_: [3, 3, 8])
    recordings = [EXAMPLES / "rain.ogg", EXAMPLES / "fire.ogg"]
    command = ["fit", "small", *(x for path in recordings for x in ("--sounds", str(path)))]
    request = fitting.Request("small", tuple(recordings), Path("small-fit"))

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "guide_motion", stop)
        with pytest.raises(KeyboardInterrupt):
            fitting.fit(request, lambda _: silent)
    kept = (folder / "small-fit" / "encoder.safetensors").read_bytes()
    assert read_card(path).content == before.card.content  # nothing but the work folder was written
    with monkeypatch.context() as patch:
        patch.setattr(fitting, "guide_by_sound", lambda *_: pytest.fail("E_a was trained again"))
        assert main(command) == 0
    assert kept and not (folder / "small-fit").exists()
    assert "Play it: sonorama live --world small" in capsys.readouterr().out
    world = load_world("small")
    fitted = world.card.measures["fitted"]
    assert fitted["files"] == {"rain.ogg": "raining", "fire.ogg": "fire_crackling"}
    assert fitted["from"] == before.card.content and fitted["steps"] == [3, 3, 8]
    assert set(fitted["encoder"]) == {"cosine_before", "cosine_after"}
    assert set(fitted["rest"]) == {"offset_before", "offset_after", "speed_before", "speed_after"}
    assert fitted["rest"]["offset_before"] > 0  # it was played, on what guide_motion had made
    assert fitting.SILENT not in world.card.description and "(eqs. 1 to 5)" in world.card.description
    for name, x in before.tensors.items():
        if not name.startswith(("encoder.", "motion.")):
            assert np.array_equal(world.tensors[name], x), name
    networks = build_networks(world)
    with torch.no_grad():
        code = networks.sound(torch.rand(1, 1, 128, 344))
        displacement, _ = networks.encoder(torch.rand(1, 1, 128, 88), code)
        delta, _ = networks.motion(
            torch.randn(1, world.card.num_ws, world.card.w_dim), MotionNetwork.start(networks.motion, 1)
        )
    assert displacement.abs().max() > 0 and delta.abs().max() > 0  # both begin at zero


def test_as_many_steps_as_fit_into_the_time(folder: Path) -> None:
    world = imported(folder / "small.safetensors")
    built = build_networks(world)
    mels, told = fitting.by_class(world, [], built.sound)
    assert told == {} and all(len(some) == 1 for some in mels)  # procedural, of all nine
    networks = fitting._new(world, built)
    fixed = fitting._fixed(world, built)
    assert fitting._steps(*networks, fixed, mels, 15.0, 0.01) == [LEAST, LEAST, LEAST]
    usual = [EncoderTraining().steps, SoundMotionTraining().steps, RestTraining().steps]
    assert fitting._steps(*networks, fixed, mels, 15.0, None) == usual
    encoder, motion = (network.state_dict() for network in networks)  # the trial was on copies
    assert not encoder["last.0.weight"].any() and not motion["levels.0.outward.weight"].any()


def test_a_fit_that_an_earlier_version_began_keeps_its_steps(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It had no plan for the last stage."""
    imported(folder / "worlds" / "small.safetensors")
    request = fitting.Request("small", (EXAMPLES / "rain.ogg",), Path("small-fit"))
    monkeypatch.setattr(fitting, "_steps", lambda *_: [3, 3, 8])
    with monkeypatch.context() as patch:
        patch.setattr(fitting, "guide_motion", lambda *_: pytest.fail("stopped"))
        with pytest.raises(pytest.fail.Exception):
            fitting.fit(request, lambda _: silent)
    plan = json.loads((folder / "small-fit" / fitting.PLAN).read_bytes())
    (folder / "small-fit" / fitting.PLAN).write_text(json.dumps(plan | {"steps": [4, 5]}))
    fitting.fit(request, lambda _: silent)
    assert load_world("small").card.measures["fitted"]["steps"] == [4, 5, 8]


def test_taught_classes_have_places_and_no_displacements(folder: Path) -> None:
    """As `sonorama teach` leaves them: the picture starts at a place, and R has nothing to be small beside."""
    world = imported(folder / "small.safetensors")
    latents = np.random.default_rng(2).standard_normal((3, world.card.w_dim)).astype(np.float32)
    changed = {
        "meaning.displacements": np.zeros_like(world.tensors["meaning.displacements"]),
        "meaning.places": latents, "meaning.place_classes": np.array([0, 0, 6], np.int32),
    }  # fmt: skip
    built = build_networks(world)
    fixed = fitting._fixed(World(world.card, dict(world.tensors) | changed), built)
    assert fixed.places is not None and fixed.places.classes.tolist() == [0, 0, 6]
    encoder, motion = fitting._new(world, built)
    mels, _ = fitting.by_class(world, [], built.sound)
    how = fitting._how(fixed, [2])
    figures = fitting._guide(encoder, fixed, mels, how)
    figures |= guide_motion(motion, encoder, fixed, mels, fitting.SoundMotionTraining(steps=2), how)
    assert np.isfinite([*figures.values()]).all()
    assert all(bool(weight.isfinite().all()) for network in (encoder, motion) for weight in network.parameters())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["shore", "--name", "a"], "shore: its classes have no displacements of their own"),
        (["meridian"], "meridian is not among your worlds, and stays as it is"),
        (["meridian", "--name", "a", "--sounds", "nowhere"], "There is no nowhere"),
        (["meridian", "--name", "a", "--sounds", "empty"], "There is no file in empty"),
        (["meridian", "--name", "shore"], "shore is the name of a world that comes with sonorama"),
        (["meridian", "--name", "a", "--sounds", "taken/mine.txt"], "taken/mine.txt is not a sound or video file"),
        (["meridian", "--name", "a", "--sounds", "taken"], "meridian: none of the sounds is of its classes"),
        (["meridian", "--name", "a", "--minutes", "0"], "--minutes 0 is no length of time"),
        (["meridian", "--name", "a", "--work", "taken"], "taken is there already, and is no fit"),
    ],
)
def test_what_cannot_be_fitted_is_two_lines(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    (folder / "empty").mkdir()
    (folder / "taken").mkdir()
    (folder / "taken" / "mine.txt").write_text("mine")
    assert main(["fit", *arguments]) == 2
    logged = "procedural ones are used", "is left out"
    lines = [line for line in capsys.readouterr().err.splitlines() if not any(one in line for one in logged)]
    assert len(lines) == 2 and lines[0].startswith(reason)
    assert [path.name for path in folder.iterdir() if path.name.endswith("-fit")] == []  # and may be mended
