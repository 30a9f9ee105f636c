"""`sonorama render X.take`: a performance from the command line, with the small world."""

import json
import os
import random
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from sonorama.engine.audio.sample_ring import SampleRingWriter
from sonorama.engine.cli.main import main
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.frame_pipeline import FramePipeline, FrameResult, mono
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.take.writer import TakeStart, TakeWriter
from sonorama.engine.units import SAMPLE_RATE

SOUND = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 2 * SAMPLE_RATE)).astype(np.float32)
CHANGES = {
    5: [Change("/look/seed", 7, "osc"), Change("/out/master", 0.4, "hand")],
    11: [Change("/look/truncation", 1.0, "scene", 0.5)],
    20: [Change("/out/master", 1.0, "hand")],
}


Played = tuple[LoadedWorld, list[FrameResult]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("performed") / "x.take"


@pytest.fixture(scope="module")
def performance(tiny_world: str, folder: Path) -> Played:
    """A take of 40 frames at 29.97 fps, and its steps as they were played."""
    world = load_world(tiny_world)
    instrument = LoadedWorld(world, open_backend(world, "cpu"))
    values = {**{path: param.default for path, param in SHOW.items()}, "/engine/world": tiny_world}
    fps, card = Fraction(30000, 1001), world.card
    player, steps = FramePipeline(lambda *_: instrument, values, fps), []
    with SampleRingWriter(f"cli-{os.getpid()}-{random.randrange(1 << 30)}", seconds=10.0) as ring:
        start = TakeStart(card.name, card.content, card.version, instrument.backend.name, fps, (64, 64), values)
        take = TakeWriter(folder, start, ring.name)
        ring.write(SOUND)
        for frame in range(40):
            changes = CHANGES.get(frame, [])
            steps.append(player.step(mono(SOUND[:, player.sample : player.next_sample]), changes))
            take.changes(frame, steps[-1].sample, changes)
        assert take.close(39, steps[-1].sample, wait_s=60)
    return instrument, steps


@pytest.fixture
def performed(performance: Played, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    """The take as x.take in the present folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(folder, "x.take")
    return performance


def test_a_take_becomes_a_film(performed: Played, capsys: pytest.CaptureFixture[str]) -> None:
    instrument, steps = performed
    assert main(["render", "x.take", "-o", "shots", "--clean", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["frames"], report["fps"], report["device"]) == (40, "30000/1001", instrument.backend.name)
    for step in steps[::6]:
        with av.open(f"shots/frame_{step.frame + 1:06}.png") as container:
            picture = next(container.decode(video=0)).to_ndarray(format="rgb48le")
        live = instrument.backend.synthesize(step.w)
        np.testing.assert_array_equal(picture, np.floor(live * np.float32(65535) + np.float32(0.5)))

    options = ["--size", "128x96", "--preset", "h264", "--start", "0.2", "--duration", "0.5", "--device", "ort"]
    assert main(["render", "x.take", "-o", "film.mp4", "--world", str(steps[0].values["/engine/world"]), *options]) == 0
    assert capsys.readouterr().out.startswith("film.mp4: 15 frames, 0.50 s, ")
    told = json.loads(Path("film.mp4.json").read_text())
    assert (told["take"]["fps"], told["device"], told["sound"]) == ("30000/1001", "onnxruntime-cpu", "x.take")


@pytest.mark.parametrize(
    "options",
    [
        ["--seed", "3"],
        ["--text", "rain"],
        ["--set", "/look/seed=3"],
        ["--loop"],
        ["--world", "atlantis"],
        ["--start", "9"],
    ],
)
@pytest.mark.usefixtures("performed")
def test_what_does_not_go_with_a_take(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "x.take", "-o", "film.mp4", *options]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 2)
    assert not Path("film.mp4").exists()


@pytest.mark.usefixtures("performed")
def test_a_damaged_take_is_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.take/take.json").write_text("{}")
    assert main(["render", "x.take", "-o", "film.mp4"]) == 2
    assert capsys.readouterr().err.count("\n") == 2
