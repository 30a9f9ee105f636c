"""`python -m sonorama.training world`, from a data folder to a world that plays: made-up data, every stage short."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from sonorama.engine.cli.main import main as sonorama_main
from sonorama.engine.control.render_table import TABLE
from sonorama.engine.errors import InputError
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.generator import GeneratorConfig
from sonorama.engine.model.world_file import World, load_world
from sonorama.engine.pipeline.classify import classify
from sonorama.engine.pipeline.offline import OfflineRender
from sonorama.engine.pipeline.prompt import prompt_seed
from sonorama.engine.units import SAMPLE_RATE
from sonorama.training.__main__ import main as training_main
from sonorama.training.data.procedural_pictures import CLASSES
from sonorama.training.packing import About
from sonorama.training.recipe import Recipe
from sonorama.training.runner import TrainingRun, make_world
from sonorama.training.stages.generator.plan import PHASES

from ..engine.model.test_joint_embedding import tiny_clip
from ..worlds import write_world
from .small_data import small_data

NOISE = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32) * np.float32(0.1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_data(tmp_path_factory.mktemp("data"), "1:2")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Small steps on two threads wait for each other for minutes where other programs run."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def film(world: World) -> np.ndarray:
    """Ten frames of noise, by torch: making graphs takes longer."""
    values: dict[str, object] = {path: p.default for path, p in TABLE.items()}
    performance = OfflineRender(world, values, Fraction(15), open_backend(world, "reference"))
    frames = [*performance.frames([NOISE], 10)]
    assert all(isinstance(frame, np.ndarray) for frame in frames)
    return np.stack(frames)


def write_still(path: Path, picture: np.ndarray) -> None:
    """A film of eight frames without loss."""
    with av.open(str(path), "w") as box:
        stream = box.add_stream("ffv1", rate=15, width=picture.shape[1], height=picture.shape[0], pix_fmt="bgr0")
        for _ in range(8):
            box.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="bgr0")))
        box.mux(stream.encode(None))


def check_evaluation(world: Path, data: Path, folder: Path) -> None:
    """`sonorama evaluate` on the new world: figures of two conditions, and nothing replaced when it runs again."""
    some = folder / "some"  # two recordings: every film is looked at by the image backbone
    some.mkdir()
    (some / "audio").symlink_to(data / "audio")
    rows = (data / "MANIFEST.tsv").read_text().splitlines(keepends=True)
    (some / "MANIFEST.tsv").write_text("".join([rows[0], *[row for row in rows if row.startswith("audio/")][:2]]))
    command = ["evaluate", str(world), "--data", str(some), "-o", str(folder / "figures"), "--seconds", "0.4"]
    command += ["--minutes", "0.05", "--condition", "ours", "--condition", "static"]
    assert sonorama_main(command) == 0
    found = json.loads((folder / "figures" / "figures.json").read_text())
    assert (found["world"], set(found["table"])) == ("tiny", {"ours", "static"})
    assert len(found["films"]) == 2 * 5 * 2
    assert found["table"]["static"]["change"]["mean"] == 0
    assert found["stability"]["finite"]
    assert "clips" not in found  # too short for distances
    assert "| static |" in (folder / "figures" / "figures.md").read_text()
    assert sonorama_main([*command[:-4], "--sounds", str(folder / "sounds")]) == 0
    films = folder / "films"
    films.mkdir()
    for path in (folder / "sounds").glob("*-seed-*.png"):  # a model that shows the first picture all the time
        first = np.asarray(Image.open(path).convert("RGB"))
        write_still(films / f"{path.stem}.mkv", first)
    others = ["--films", f"Still={films}", "--condition", "static", "-o", str(folder / "others")]
    assert sonorama_main([*command[:4], *command[6:10], *others]) == 0
    table = json.loads((folder / "others" / "figures.json").read_text())["table"]
    assert table["Still"]["a<->v"]["mean"] == pytest.approx(table["static"]["a<->v"]["mean"], abs=0.02)
    before = (folder / "figures" / "figures.json").read_bytes()
    assert sonorama_main([*command[:-4], "--condition", "unheard"]) == 2
    assert (folder / "figures" / "figures.json").read_bytes() == before


@pytest.mark.timeout(600)
def test_one_command_makes_a_world_and_goes_on_where_it_was_stopped(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    one_thread: None,
) -> None:
    out = tmp_path / "tiny.safetensors"
    command = [
        sys.executable,
        "-m",
        "sonorama.training",
        "world",
        "--data",
        str(data),
        "--work",
        str(tmp_path / "work"),
    ]
    command += ["--out", str(out), "--name", "tiny", "--size", "64", "--scale", "0.001"]
    one = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=one) as first:
        assert first.stderr is not None
        log = [next(line for line in first.stderr if "stage joint" in line)]
        first.send_signal(signal.SIGTERM)
        log += first.stderr.readlines()
    assert first.returncode == 143, log
    assert "goes on" in log[-1]
    assert not out.exists()

    monkeypatch.setattr(sys, "argv", command[2:])  # in this process: torch is imported already
    with caplog.at_level(logging.INFO):
        assert training_main() == 0
    assert "stage generator" not in caplog.text
    assert "stage joint" in caplog.text
    assert "stage motion" in caplog.text
    world = load_world(out)
    assert (world.card.name, world.card.size, world.card.classes) == ("tiny", 64, CLASSES)
    assert len(world.card.credits) == 8 + len(CLASSES)
    assert world.card.licence == "not stated; of its training data: CC0 1.0"
    assert world.card.description.startswith(f"Trained on 8 photos and {len(CLASSES)} recordings.")
    assert world.card.text is not None
    assert {"encoder", "motion"} <= set(world.card.measures)
    assert film(world).shape == (10, 64, 32, 3)
    assert set(next(iter(classify(world, [NOISE]))).scores) >= set(CLASSES)

    check_evaluation(out, data, tmp_path)
    assert "Choose from" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["training", "ablation", "without-stage-3", *command[4:8]])
    assert training_main() == 0
    variant = load_world(tmp_path / "work" / "ablations" / "without-stage-3" / "without-stage-3.safetensors")
    assert {k for k, x in world.tensors.items() if not np.array_equal(x, variant.tensors[k])} <= {
        k for k in world.tensors if k.startswith(("encoder.", "motion."))
    }

    monkeypatch.setattr(sys, "argv", [*command[2:-1], "0.002"])
    assert training_main() == 2
    refused = capsys.readouterr().err
    assert "differs in: scale" in refused
    assert refused.count("\n") == 2


def test_a_world_in_the_space_of_a_named_clip_model(data: Path, tmp_path: Path, one_thread: None) -> None:
    """Its labels, its bank and the words of its users are CLIP's; F_a and E_a have CLIP's width."""
    name, _ = tiny_clip(tmp_path)
    small = GeneratorConfig(64, z_dim=16, w_dim=32, channel_base=512, channel_max=16)  # square ones are still made
    recipe = replace(Recipe().up_to(64).scaled(0.001), generator=small)
    recipe = replace(recipe, joint=replace(recipe.joint, clip=name), clips=replace(recipe.clips, ticks=4))
    make_world(TrainingRun(data, tmp_path / "work", recipe), tmp_path / "clip.safetensors", About("clip", "1"))
    world = load_world(tmp_path / "clip.safetensors")
    assert world.card.joint["clip"] == name
    assert world.tensors["labels.codes"].shape == (len(CLASSES), 16)
    assert not world.part("text")
    assert set(next(iter(classify(world, [NOISE], ["a choir"]))).scores) == {*CLASSES, "a choir"}
    assert prompt_seed(world, "a red canyon") < recipe.bank
    assert film(world).shape == (10, 64, 64, 3)


def test_a_share_shortens_every_stage_and_a_folder_keeps_its_recipe(tmp_path: Path) -> None:
    whole, tenth = Recipe(), Recipe().scaled(0.1)
    assert [p.images * 10 for p in tenth.stage_0.phases] == [p.images for p in whole.stage_0.phases]
    for part, name in (("joint", "sound_steps"), ("directions", "steps"), ("encoder", "steps"), ("motion", "steps")):
        assert getattr(getattr(tenth, part), name) * 10 == getattr(getattr(whole, part), name)
    assert [p.side for p in whole.up_to(128).stage_0.phases] == [16, 32, 64, 128]
    tenth.claim(tmp_path)
    tenth.claim(tmp_path)
    with pytest.raises(InputError, match="another recipe"):
        whole.claim(tmp_path)


def test_a_card_is_rewritten_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_world(tmp_path / "w.safetensors")
    before = load_world(tmp_path / "w.safetensors")
    out = tmp_path / "out.safetensors"
    command = ["training", "card", str(tmp_path / "w.safetensors"), "--out", str(out), "--licence", "CC BY 4.0"]
    monkeypatch.setattr(sys, "argv", command)
    assert training_main() == 0
    after = load_world(out)
    assert (after.card.licence, after.card.description) == ("CC BY 4.0", before.card.description)
    assert after.card.content == before.card.content
    monkeypatch.setattr(sys, "argv", ["training", "card", str(tmp_path / "nowhere.safetensors")])
    assert training_main() == 2


MOST = PHASES[-1].images - 1


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--from", "shore", "--images", "-1"], ["--images -1", f"Give 0 to {MOST}."]),
        (["--from", "shore", "--images", str(MOST + 1)], [f"--images {MOST + 1}", f"Give 0 to {MOST}."]),
        (["--images", "5"], ["--images counts what a world has seen", "Name that world with --from."]),
        (["--until", "8"], ["--until 8", "Give at least 16."]),
    ],
)
def test_what_stage_0_cannot_do_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str],
    error: list[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["training", "generator", "--work", str(tmp_path / "work"), *options])
    assert training_main() == 2
    assert capsys.readouterr().err.splitlines() == error
    assert not (tmp_path / "work").exists()
