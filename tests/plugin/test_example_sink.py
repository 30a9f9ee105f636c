"""The example plug-in, installed from its folder into a place of its own, without a network."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sonorama.engine.plugins.survey import Plugin

EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin-sink"

RUN = """
import sys
from sonorama.engine.show.sink_runner import SinkRunner
from sonorama.engine.plugins.registry import open_sink
from tests.plugin.sinks import info, picture, until
sinks = [open_sink(spec) for spec in sys.argv[1:]]
runners = [SinkRunner(label, make, info("example")) for label, make in sinks]
for runner in runners:
    runner.start()
for tick in range(5):
    for runner in runners:
        runner.offer(picture(tick))
    until(lambda: all(r.counts.offered == r.counts.sent + r.counts.failed for r in runners))
for runner in runners:
    assert runner.close(30)
    print(runner.label, runner.counts.sent, *runner.faults(), sep="; ")
"""
SURVEY = """
import json
from dataclasses import astuple
from sonorama.engine.plugins.registry import SINKS
from sonorama.engine.plugins.survey import survey
print(json.dumps([astuple(one) for one in survey((SINKS,))]))
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is installed; built from a copy, so that nothing appears in the repository."""
    space = tmp_path_factory.mktemp("example")
    shutil.copytree(EXAMPLE, space / "source")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    done = subprocess.run(
        [*command, "--target", str(space / "place"), str(space / "source")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return space / "place"


def python(place: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    paths = os.pathsep.join([str(place), str(Path(__file__).parents[2])])
    env = {**os.environ, "PYTHONPATH": paths}
    return subprocess.run([sys.executable, "-c", *arguments], env=env, capture_output=True, text=True, timeout=120)


def listed(place: Path) -> Plugin:
    """What a survey of the sinks says of it."""
    done = python(place, SURVEY)
    assert done.returncode == 0, done.stderr
    (told,) = [Plugin(*row) for row in json.loads(done.stdout) if row[1] == "mean-colour"]
    return told


def test_it_is_listed(place: Path) -> None:
    told = listed(place)
    assert (told.group, told.state, told.about) == ("sonorama.sinks", "available", "appends to a CSV file")
    assert (told.package, told.version) == ("sonorama-mean-colour", "1.0.0")


def test_it_runs(place: Path, tmp_path: Path) -> None:
    done = python(place, RUN, f"mean-colour:{tmp_path}/colours.csv")
    assert done.stdout == f"mean-colour {tmp_path}/colours.csv; 5\n", done.stderr
    assert (tmp_path / "colours.csv").read_text().splitlines()[:2] == ["0,0,20.0,20.0,20.0", "1,1,25.0,25.0,25.0"]


def test_it_is_isolated_when_it_raises(place: Path, tmp_path: Path) -> None:
    done = python(place, RUN, f"mean-colour:{tmp_path}/no/such.csv", "null", f"mean-colour:{tmp_path}/colours.csv")
    first, second, third = done.stdout.splitlines()
    reason = f"{tmp_path}/no/such.csv cannot be written: No such file or directory"
    assert (
        first == f"mean-colour {tmp_path}/no/such.csv; 0; mean-colour {tmp_path}/no/such.csv is switched off: {reason}"
    )
    assert second == "null; 5"
    assert third == f"mean-colour {tmp_path}/colours.csv; 5"


def test_it_is_isolated_when_it_does_not_load(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place, tmp_path / "torn")
    (tmp_path / "torn" / "sonorama_mean_colour.py").write_text("import nowhere_to_be_found\n")
    told = listed(tmp_path / "torn")
    assert (told.state, told.how_to_install) == ("broken", "Install sonorama-mean-colour again.")
    assert "nowhere_to_be_found" in told.about
    done = python(tmp_path / "torn", RUN, "null")
    assert done.stdout == "null; 5\n", done.stderr
