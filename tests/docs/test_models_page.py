"""The commands of docs/models.md do what the page says, on a small StyleGAN3: from a .pkl to a folder of graphs."""

import re
import shlex
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.cli.main import build_parser, main
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.principal_axes import seed_styles
from sonorama.engine.model.world_file import find_world, load_world
from sonorama.engine.pipeline.class_places import places_of
from sonorama.engine.show.command import plan_of
from sonorama.plugin.worlds import make_world
from sonorama.plugin.worlds.reading_child import read_network
from sonorama.training.fit import fit as fitting
from sonorama.training.stages.motion_by_sound import SoundMotionTraining
from sonorama.training.stages.sound_inversion import EncoderTraining

from ..plugin.worlds import nvidia_files, stylegan3_files

ROOT = Path(__file__).parents[2]
FENCES = re.findall(r"^```\n(.*?)^```", (ROOT / "docs" / "models.md").read_text(), re.MULTILINE | re.DOTALL)
LINES = [shlex.split(line) for fence in FENCES for line in fence.splitlines()]
RECORDINGS = {"kick.wav": "thunder-1.ogg", "voice.wav": "thunder-3.ogg", "rain.wav": "rain.ogg"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the commands find; few pictures and steps."""
    for name, recording in RECORDINGS.items():
        shutil.copy2(ROOT / "examples" / recording, tmp_path / name)
    (tmp_path / "recordings").mkdir()
    shutil.copy2(ROOT / "examples" / "rain.ogg", tmp_path / "recordings")
    nvidia_files.write(tmp_path / "faces.pkl", stylegan3_files.generator())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONORAMA_WORLDS", str(tmp_path / "worlds"))
    monkeypatch.setenv("SONORAMA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(make_world, "read_generator", read_network)
    monkeypatch.setattr(make_world, "FEW", 16)
    monkeypatch.setattr("sonorama.export.graphs.export.compare", lambda *_: [])  # tests/export compares
    few = EncoderTraining(steps=2, clips=1, windows=2, cutouts=1, size=32)
    monkeypatch.setattr(fitting, "_how", lambda _, steps: replace(few, steps=steps[0]))
    monkeypatch.setattr(fitting, "_steps", lambda *_: [2, 2, 8])
    monkeypatch.setattr(fitting, "SoundMotionTraining", partial(SoundMotionTraining, clips=1, ticks=4, painted=2))
    return tmp_path


def test_every_command_of_the_page_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [words[1] for words in LINES] == ["import", "live", "export", "teach", "fit"]
    for program, *words in LINES:
        assert program == "sonorama"
        if words[0] == "live":
            assert find_world(plan_of(build_parser().parse_args(words)).world) == find_world("faces")
        else:
            assert main(words) == 0, capsys.readouterr().err
    world = load_world("faces")
    card = world.card
    assert (card.num_ws, card.level_cuts, card.has_placement) == (16, (3, 6), True)
    assert card.classes[:3] == ("kick", "voice", "rain")
    seed, places = seed_styles(card, world.tensors, [12]), places_of(world.tensors)
    assert seed is not None and places is not None
    np.testing.assert_allclose(places.latents[0], seed[0], atol=2e-3)
    assert card.measures["fitted"]["files"] == {"rain.ogg": "rain"}
    backend = open_backend(world, "reference")
    displacement, presence = backend.invert_sound(np.full((128, 88), 0.5, np.float32), world.vocabulary.codes[2])
    assert displacement.shape == (16, 24) and displacement.any() and presence > 0
    graphs = load_world(folder / "faces-onnx")  # exported before the world was taught
    ws = np.random.default_rng(1).standard_normal((17, 24)).astype(np.float32)
    np.testing.assert_allclose(open_backend(graphs, "ort").synthesize(ws), backend.synthesize(ws), atol=1e-4)
