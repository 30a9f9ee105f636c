"""The example plug-ins of docs/extending.md, installed from their folder, each used as a player would."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sonorama.engine.model.world_file import load_world

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "plugin-kinds"
PAGE = ROOT / "docs" / "extending.md"

BRIDGE = """
import json, socket, sys
from sonorama.engine.faults import Faults
from sonorama.engine.control.events import ShowEvents
from sonorama.engine.control.parameters import Change
from sonorama.engine.show.bridges import BridgeRunner, Port
posted, urgent, faults = [], [], Faults()
events = ShowEvents(faults)
events.urgent.subscribe(urgent.append, "test")
values = {"/look/seed": 7}
runner = BridgeRunner(["lines:0"], lambda bridge: Port("test", values, posted.append, events, bridge), faults)
runner.start()
with socket.create_connection(("127.0.0.1", runner.facts["lines_port"])) as line:
    file = line.makefile("rw")
    for text in sys.argv[1:]:
        file.write(text + "\\n"); file.flush()
        print(file.readline().strip())
events.changed.publish([Change("/look/seed", 1, "osc"), Change("/look/drift", 0.5, "osc")])
print(runner.facts["lines_last"])
runner.close(); runner.close()
print([(one.path, one.value, one.source) for one in posted], [one.path for one in urgent], faults.recent())
"""
SOURCE = """
import time, numpy as np
from sonorama.engine.plugins.open_source import open_source
label, make = open_source("metronome:240")
source, blocks = make(), []
source.start(lambda block, at: blocks.append(block))
while sum(block.shape[1] for block in blocks) < 30_000: time.sleep(0.01)
assert source.alive()
source.stop(); source.stop()
assert not source.alive()
sound = np.concatenate(blocks, axis=1)
print(label, sound.dtype, sound.shape[0], np.flatnonzero(np.diff((abs(sound[0]) > 0).astype(int)) == 1)[:2])
"""
MODULATOR = """
import json
from sonorama.engine.audio.features import Features
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.pipeline.modulators import Modulators
values = {path: param.default for path, param in SHOW.items()}
assert "swell" in SHOW["/moves/1/source"].choices
values |= {f"/moves/{n}/source": "off" for n in range(1, 9)}
values |= {"/moves/1/source": "swell", "/moves/1/target": "/look/drift", "/moves/1/depth": 1.0}
loud, silent = Features(0.5, 0, 0, 0, 0, 0, 0, -20), Features(0, 0, 0, 0, 0, 0, 0, -100)
one, other = Modulators(), Modulators()
heights = [one.step(values, loud, 0.5)["/look/drift"] for _ in range(20)]
other.restore(json.loads(json.dumps(one.snapshot())))
falls = [modulators.step(values, silent, 0.5)["/look/drift"] for modulators in (one, other)]
print(heights[0], heights[15], heights[19], falls, one.faults)
"""
WORLD = """
import sys
import numpy as np
from sonorama.engine.cli.main import main
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import list_worlds, load_world, read_card
given, out = sys.argv[1:]
assert main(["export-npz", given, out]) == 0
assert main(["export-npz", given, out]) == 2
ours, theirs = load_world(given), load_world(out)
assert theirs.tensors.keys() == ours.tensors.keys()
assert all(np.array_equal(theirs.tensors[name], ours.tensors[name]) for name in ours.tensors)
from pathlib import Path
assert read_card(Path(out)) == theirs.card and theirs.card.path == out
print([card.name for card in list_worlds() if card.path == out])
assert main(["import", out, "--world", "copied"]) == 0
copied = load_world("copied")
assert (copied.card.name, copied.card.content) == ("copied", ours.card.content)
plain, mirrored = (open_backend(ours, device) for device in ("ort", "mirror"))
w = np.zeros((ours.card.num_ws, ours.card.w_dim), np.float32)
assert np.array_equal(mirrored.synthesize(w), plain.synthesize(w)[:, ::-1])
print(mirrored.name)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package is installed; built from a copy, so that nothing appears in the repository."""
    space = tmp_path_factory.mktemp("kinds")
    shutil.copytree(EXAMPLE, space / "source")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    done = subprocess.run(
        [*command, "--target", str(space / "place"), str(space / "source")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return space / "place"


def python(place: Path, code: str, *arguments: str, **environment: str) -> list[str]:
    """The lines that some code prints where the package is installed."""
    env = {**os.environ, "PYTHONPATH": str(place), **environment}
    done = subprocess.run([sys.executable, "-c", code, *arguments], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_all_are_listed_and_available(place: Path) -> None:
    code = "from sonorama.engine.cli.main import main; raise SystemExit(main(['plugins', '--json']))"
    told = json.loads(python(place, code)[-1])
    theirs = {(one["group"].removeprefix("sonorama."), one["name"]): one["state"] for one in told
              if one["package"] == "sonorama-kinds"}  # fmt: skip
    assert theirs == dict.fromkeys(
        [
            ("sources", "metronome"), ("bridges", "lines"), ("modulators", "swell"), ("backends", "mirror"),
            ("world_loaders", "npz"), ("training_stages", "palette"), ("commands", "export-npz"), ("checks", "clock"),
        ],
        "available",
    )  # fmt: skip


def test_the_bridge_sets_and_reads_parameters(place: Path) -> None:
    lines = ["/look/seed 9", "/look/seed", "/look/truncation 99", "/out/blackout true", "/no/such 1",
             "/look/seed x", '/engine/world "../secret.safetensors"', "/look/truncation [1]"]  # fmt: skip
    told = python(place, BRIDGE, *lines)
    assert told[:4] == ["ok", "7", "ok", "ok"]
    assert told[4].startswith("There is no parameter /no/such.")
    assert told[5] == "x is no JSON value"
    said = "/engine/world does not take '../secret.safetensors'. Send the name of an installed one: meridian, shore."
    assert told[6] == said
    assert told[7].startswith("/look/truncation does not take list.")
    assert told[8] == "/look/drift", "changes arrive"
    posted = "[('/look/seed', 9, 'lines'), ('/look/truncation', 1.2, 'lines'), ('/out/blackout', True, 'lines')]"
    assert told[9] == f"{posted} ['/out/blackout'] []"


def test_the_source_clicks(place: Path) -> None:
    (line,) = python(place, SOURCE)
    assert line.startswith("metronome 240 float32 1 ")
    first, second = (int(word) for word in line.split("[")[1].strip("]").split())
    assert second - first == pytest.approx(12_000, abs=2)


def test_the_modulator_swells_and_goes_on_after_a_restart(place: Path) -> None:
    assert python(place, MODULATOR) == ["0.0625 1.0 1.0 [0.9375, 0.9375] []"]


def test_the_world_loader_the_command_and_the_backend(place: Path, tiny_world: str, tmp_path: Path) -> None:
    out = tmp_path / "tiny.npz"
    told = python(place, WORLD, tiny_world, str(out), SONORAMA_WORLDS=str(tmp_path))
    written, listed, copied, size, play, backend = told
    assert (written, listed, backend) == (str(out), "['tiny']", "mirror")
    assert copied == str(tmp_path / "copied.safetensors") and size.startswith("64x64 px")
    assert play == "Play it: sonorama live --world copied"


def test_the_training_stage_makes_a_part_of_the_world(
    place: Path, tiny_world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sonorama.engine.model.build import build_networks  # imports torch, which costs seconds
    from sonorama.training.stage_order import open_stages, run_stages, with_extra

    monkeypatch.syspath_prepend(place)
    stages = open_stages(["palette"])
    assert list(stages)[-1] == "palette"
    notes: dict[str, Any] = {}
    run: Any = SimpleNamespace(root=None, work=None, note=notes.__setitem__)

    class Generators:
        inputs, outputs = (), ("generator",)

        def run(self, run: object, inputs: object) -> dict[str, Any]:
            del run, inputs
            return {"generator": build_networks(load_world(tiny_world)).generator}

    made = run_stages(run, {"palette": stages["palette"], "generator": Generators()})
    colours = with_extra({"encoder": {}}, {"palette": made["palette"]})["palette"]["colours"]
    assert tuple(colours.shape) == (64, 3) and bool((colours >= 0).all() and (colours <= 1).all())
    assert list(notes) == ["palette"]


def test_the_check_is_run_by_the_doctor(place: Path) -> None:
    code = (
        "from sonorama.engine.cli.doctor import run_check; from sonorama.engine.plugins.registry import *\n"
        "print([(one.what, one.ok) for one in run_check('clock', find_used(CHECKS)['clock'], 60.0)])"
    )
    assert python(place, code) == ["[('clock', True)]"]


def test_the_page_shows_the_examples_as_they_are() -> None:
    """Every block of Python on the page is a file of the examples, word for word."""
    page = PAGE.read_text()
    files = [*EXAMPLE.glob("sonorama_kinds/*.py"), ROOT / "examples" / "plugin-sink" / "sonorama_mean_colour.py"]
    shown = [block.split("```")[0].strip() for block in page.split("```python\n")[1:]]
    assert {file.name for file in files if file.read_text().strip() in shown} == {
        file.name for file in files if file.name != "__init__.py"
    }
    assert len(shown) == len(files) - 1
