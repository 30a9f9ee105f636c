"""The commands of docs/onnx.md do what the page says, with a small world in place of `meridian`."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sonorama.engine.cli.main import build_parser, main
from sonorama.engine.model.world_file import find_world
from sonorama.engine.show.command import plan_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "onnx.md").read_text()
FENCES = re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
LINES = [line for fence in FENCES for line in fence.splitlines()]


def test_every_command_of_the_page_runs(tiny_world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [line.split()[:2] for line in LINES] == [
        ["sonorama", "export"], ["sonorama", "render"], ["sonorama", "live"], ["python", "examples/onnx_player.py"]
    ]  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONORAMA_CACHE", str(tmp_path / "cache"))
    (tmp_path / "examples").mkdir()
    shutil.copy2(ROOT / "examples" / "onnx_player.py", tmp_path / "examples")
    shutil.copy2(ROOT / "examples" / "thunder-3.ogg", tmp_path / "rain.ogg")  # the shortest
    for line in LINES:
        program, *words = [tiny_world if word == "meridian" else word for word in shlex.split(line)]
        if words[0] == "live":
            plan = plan_of(build_parser().parse_args(words))
            assert find_world(plan.world).read_bytes() == Path(tiny_world).read_bytes()
            continue
        if program == "sonorama":
            assert main([*words, *(["--duration", "0.2"] if words[0] == "render" else [])]) == 0
        else:
            subprocess.run([sys.executable, *words], check=True)
    assert (tmp_path / "film.mp4").stat().st_size > 0
    assert len(list((tmp_path / "pictures").iterdir())) == int(2.733271 * 15)


def test_the_page_names_every_graph_port_and_key(tiny_world: str, tmp_path: Path) -> None:
    manifest = json.loads((exported(tiny_world, tmp_path) / "manifest.json").read_text("utf-8"))
    named = set(re.findall(r"`([\w.]+)`", PAGE))
    graphs = manifest["graphs"]
    ports = {port["name"] for graph in graphs.values() for port in (*graph["inputs"], *graph["outputs"])}
    assert manifest.keys() - {"made_by"} | graphs.keys() | ports <= named
    rows = re.findall(r"^\| (\w+) \| (\w+) \| [\d.]+ \|", PAGE, re.MULTILINE)
    outputs = {(name, port["name"]) for name, graph in graphs.items() for port in graph["outputs"]}
    assert set(rows) == outputs | {("text", "code")}


def exported(world: str, tmp_path: Path) -> Path:
    """A folder of graphs that were not compared."""
    from sonorama.engine.model.world_file import load_world
    from sonorama.export.graphs.build import GraphWriter
    from sonorama.export.graphs.manifest import manifest_of

    opened = load_world(world)
    graphs = [*GraphWriter(opened, tmp_path, False, 20).write()]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest_of(opened, graphs, tmp_path, "fp32", 20, [])))
    return tmp_path
