"""docs/frame-map.md: its tables are the layout, and its readers read, through resizes, deaths and successors."""

import importlib
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import numpy as np
import pytest

from sonorama.engine.ipc.frame_map import FrameMapWriter
from sonorama.engine.ipc.frame_map_layout import HEADER, SLOT, SLOT_HEADER
from sonorama.engine.ipc.shared_paths import shared_path

from .readers import EXAMPLES, MAX, PROCESSING, VVVV, csharp_reader, java_reader, node_reader

PAGE = (Path(__file__).parents[2] / "docs" / "frame-map.md").read_text()

# Obeys one line at a time and keeps its heart beating in between.
WRITER = """
import queue, sys, threading
import numpy as np
from sonorama.engine.ipc.frame_map import FrameMapWriter
name, width, height = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
writer, lines = FrameMapWriter(name, width, height), queue.Queue()
def listen():
    for line in sys.stdin:
        lines.put(line)
    lines.put("end")
threading.Thread(target=listen, daemon=True).start()
def picture(seed):
    width, height = writer.size
    return np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
def next_line():
    while True:
        try:
            return lines.get(timeout=0.1)
        except queue.Empty:
            writer.heartbeat()
while True:
    match next_line().split():
        case ["publish", seed]:
            writer.publish(picture(int(seed)), 0, int(seed))
        case ["plain", number]:
            for frame in range(int(number)):
                writer.publish(np.full((writer.size[1], writer.size[0], 4), frame % 251, np.uint8), 0, frame)
        case ["resize", width, height]:
            writer.resize(int(width), int(height))
        case _:
            break
writer.close()
"""


def block(heading: str, language: str) -> str:
    """The fenced block of that language below that heading."""
    section = PAGE.split(f"\n### {heading}\n")[1].split("\n### ")[0]
    found = re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return found[0]


# OBS as far as the script needs it: what would be drawn is written to standard output after each frame.
OBS = """
obslua = {{
    OBS_SOURCE_TYPE_INPUT = 0, OBS_SOURCE_VIDEO = 1, OBS_SOURCE_CUSTOM_DRAW = 8, OBS_TEXT_DEFAULT = 0,
    obs_register_source = function(source) registered = source end,
    obs_data_get_string = function(settings, key) return settings[key] end,
    obs_data_set_default_string = function(settings, key, value) settings[key] = value end,
    obs_properties_create = function() return {{}} end,
    obs_properties_add_text = function(properties, key) properties[key] = true end,
}}
script_path = function() return "{folder}/" end
local textures, left = 0, 0
require("ffi").load = function() return {{
    gs_texture_create = function(width, height)
        textures = textures + 1
        return {{width = width, height = height}}
    end,
    gs_texture_destroy = function() textures = textures - 1 end,
    gs_texture_set_image = function(texture, pixels, line)
        texture.pixels = require("ffi").string(pixels, line * texture.height)
    end,
    obs_get_base_effect = function() return {{}} end,
    gs_effect_get_param_by_name = function() return {{}} end,
    gs_effect_set_texture = function() left = 1 end,
    gs_effect_loop = function() left = left - 1; return left >= 0 end,
    gs_draw_sprite = function(texture, flip, width, height)
        assert(flip == 0 and width == texture.width and height == texture.height)
        local head = "P7\\nWIDTH %d\\nHEIGHT %d\\nDEPTH 4\\nMAXVAL 255\\nTUPLTYPE RGB_ALPHA\\nENDHDR\\n"
        io.stdout:write(head:format(width, height))
        io.stdout:write(texture.pixels)
        io.stdout:flush()
    end,
    obs_enter_graphics = function() end,
    obs_leave_graphics = function() end,
}} end
dofile("{folder}/sonorama_obs.lua")
script_load()
local settings = {{}}
registered.get_defaults(settings)
assert(settings.name == "sonorama" and registered.get_properties().name and #script_description() > 0)
settings.name = "{name}"
local data = registered.create(settings)
for line in io.stdin:lines() do
    registered.video_tick(data)
    registered.video_render(data)
    io.stderr:write(registered.get_width(data), "x", registered.get_height(data), " ", textures, "\\n")
end
registered.destroy(data)
assert(textures == 0)
io.stderr:write("ended\\n")
"""


def python_reader(_: Path) -> list[str]:
    return [sys.executable, "-I", str(EXAMPLES / "touchdesigner" / "frame_map.py")]


def c_reader(folder: Path) -> list[str]:
    (folder / "frame_map.c").write_text(block("C", "c"))
    command = re.search(r"`(gcc .*?)`", PAGE)
    assert command
    assert {"-Wall", "-Werror"} <= set(command[1].split())
    subprocess.run(command[1].split(), cwd=folder, check=True)
    return [str(folder / "frame_map")]


def lua_reader(_: Path) -> list[str]:
    return ["luajit", str(EXAMPLES / "obs" / "frame_map.lua")]


def picture(seed: int, width: int, height: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)


def next_picture(file: IO[bytes]) -> np.ndarray:
    """The next PAM file of a stream: uint8 [height, width, 4]."""
    head = [file.readline().decode().strip() for _ in range(7)]
    assert [head[0], *head[3:]] == ["P7", "DEPTH 4", "MAXVAL 255", "TUPLTYPE RGB_ALPHA", "ENDHDR"]
    width, height = (int(line.split()[1]) for line in head[1:3])
    pixels = b""
    while len(pixels) < width * height * 4:
        pixels += file.read(width * height * 4 - len(pixels)) or pytest.fail("the stream ends in a picture")
    return np.frombuffer(pixels, np.uint8).reshape(height, width, 4)


class Writer:
    """A show of another process."""

    def __init__(self, name: str, width: int, height: int) -> None:
        command = [sys.executable, "-c", WRITER, name, str(width), str(height)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


class Reader:
    """A program of the page, its pictures and what it says of the owner."""

    def __init__(self, command: list[str], said: Path) -> None:
        self.said = said
        with said.open("w") as file:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file)
        assert self.process.stdout is not None
        self.pictures: IO[bytes] = self.process.stdout

    def next(self) -> np.ndarray:
        """The next picture: uint8 [height, width, 4]."""
        return next_picture(self.pictures)

    def wait_until_it_says(self, word: str) -> None:
        end = time.monotonic() + 30
        while self.said.read_text().splitlines()[-1:] != [word]:
            assert self.process.poll() is None, self.said.read_text()
            assert time.monotonic() < end, f"not {word!r} but {self.said.read_text()!r}"
            time.sleep(0.01)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.pictures.close()


@pytest.fixture
def cleanup() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "make",
    [
        *(python_reader, c_reader, lua_reader),
        *(pytest.param(each, marks=pytest.mark.hosts) for each in (csharp_reader, java_reader, node_reader)),
    ],
)
def test_a_reader_of_the_page_sees_every_pixel(
    make: Callable[[Path], list[str]], tmp_path: Path, cleanup: ExitStack
) -> None:
    name = f"test-page-{time.time_ns()}"
    cleanup.callback(lambda: shared_path(name).unlink(missing_ok=True))

    def show(width: int, height: int) -> Writer:
        writer = Writer(name, width, height)
        cleanup.callback(writer.end)
        return writer

    reader = Reader([*make(tmp_path), name], tmp_path / "said")
    cleanup.callback(reader.end)
    reader.wait_until_it_says("no owner")

    first = show(33, 17)
    for seed in (1, 2):
        first.tell(f"publish {seed}")
        assert (reader.next() == picture(seed, 33, 17)).all()
    reader.wait_until_it_says("live")

    first.tell("resize 320 200")
    first.tell("plain 500")  # as quickly as it can: none of those that are seen may be torn
    seen = [reader.next()]
    while seen[-1].max() != 499 % 251:
        seen.append(reader.next())
    assert all(one.shape == (200, 320, 4) and one.min() == one.max() for one in seen)

    first.tell("resize 20 50")
    first.tell("publish 3")
    assert (reader.next() == picture(3, 20, 50)).all()
    reader.wait_until_it_says("live")
    first.process.kill()
    reader.wait_until_it_says("no owner")

    second = show(16, 16)
    second.tell("publish 4")
    assert (reader.next() == picture(4, 16, 16)).all()
    reader.wait_until_it_says("live")
    second.tell("end")
    reader.wait_until_it_says("no owner")
    second.process.wait(30)
    assert not shared_path(name).exists()

    show(8, 12).tell("publish 5")
    assert (reader.next() == picture(5, 8, 12)).all()
    assert reader.process.poll() is None


def rows(title: str) -> dict[str, tuple[int, str]]:
    """A table of the page: name -> (offset, type)."""
    table = PAGE.split(f"| offset | type | {title} | |\n")[1].split("\n\n")[0]
    found = re.findall(r"^\| (\d+) \| ([\w ]+) \| `?(\w+)`? \|", table, re.MULTILINE)
    return {name: (int(offset), kind) for offset, kind, name in found}


def told(layout: np.dtype) -> dict[str, tuple[int, str]]:
    """The same from the code."""
    fields = layout.fields
    assert fields is not None
    names = {"f4": "float32", "f8": "float64", "u4": "uint32", "u8": "uint64", "i8": "int64"}
    names |= {"V8": "8 bytes", "V4": "4 bytes"}
    return {name: (int(field[1]), names[field[0].str[1:]]) for name, field in fields.items()}


def test_the_tables_are_the_layout() -> None:
    assert rows("header") == told(HEADER)
    assert rows("slot") == told(SLOT) | {"pixels": (SLOT_HEADER, "bytes")}


@pytest.mark.parametrize("file", [PROCESSING / "FrameMap.java", VVVV / "FrameMap.cs", MAX / "frame_map.js"])
def test_readers_in_other_languages_have_the_same_layout(file: Path) -> None:
    named = {name: int(number) for name, number in re.findall(r"\b([A-Z][A-Z_]+) = (\d+)", file.read_text())}
    assert named.pop("HEADER_SIZE") == HEADER.itemsize
    assert (named.pop("SEQ"), named.pop("PIXELS")) == (0, SLOT_HEADER)
    assert len(named) == 11
    assert named == {name: told(HEADER)[name.lower()][0] for name in named}


def test_the_obs_script_draws_what_is_in_the_map(tmp_path: Path, cleanup: ExitStack) -> None:
    name = f"test-obs-{time.time_ns()}"
    (tmp_path / "obs.lua").write_text(OBS.format(folder=EXAMPLES / "obs", name=name))
    with (tmp_path / "said").open("w") as said:
        host = subprocess.Popen(
            ["luajit", str(tmp_path / "obs.lua")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, bufsize=0
        )
    cleanup.callback(host.wait)
    cleanup.callback(host.kill)
    assert host.stdin is not None
    assert host.stdout is not None
    drawn: list[np.ndarray] = []

    def tick() -> np.ndarray:
        assert host.stdin
        assert host.stdout
        host.stdin.write(b"tick\n")
        drawn.append(next_picture(host.stdout))
        return drawn[-1]

    with host.stdin, host.stdout, FrameMapWriter(name, 30, 20) as writer:
        for seed in (1, 2):
            writer.publish(picture(seed, 30, 20), 0, seed)
            assert (tick() == picture(seed, 30, 20)).all()
        writer.resize(12, 40)
        assert (tick() == picture(2, 30, 20)).all(), "nothing new yet: the same once more"
        writer.publish(picture(3, 12, 40), 0, 3)
        while tick().shape == (20, 30, 4):  # it looks for a new file ten times a second
            assert (drawn[-1] == picture(2, 30, 20)).all()
            time.sleep(0.01)
        assert (drawn[-1] == picture(3, 12, 40)).all()
    assert host.wait(30) == 0
    sizes = [f"{one.shape[1]}x{one.shape[0]} 1" for one in drawn]
    assert (tmp_path / "said").read_text().splitlines() == [*sizes, "ended"]


def test_the_touchdesigner_callback_gives_the_picture_bottom_row_first(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"test-td-{time.time_ns()}"
    monkeypatch.syspath_prepend(EXAMPLES / "touchdesigner")
    given: list[np.ndarray] = []
    operator = SimpleNamespace(copyNumpyArray=given.append)
    try:
        callbacks = importlib.import_module("script_top")
        assert callbacks.SHOW == "sonorama"
        monkeypatch.setattr(callbacks, "reader", callbacks.FrameMap(name))
        callbacks.onCook(operator)
        assert not given, "nothing before the first picture"
        with FrameMapWriter(name, 30, 20) as writer:
            time.sleep(0.11)  # the reader looks for the name ten times a second
            for seed in (1, 2):
                writer.publish(picture(seed, 30, 20), 0, seed)
                callbacks.onCook(operator)
                callbacks.onCook(operator)
    finally:
        for module in ("script_top", "frame_map"):
            sys.modules.pop(module, None)
    wanted = [picture(seed, 30, 20)[::-1] for seed in (1, 1, 2, 2)]
    assert all((one == other).all() and one.flags.c_contiguous for one, other in zip(given, wanted, strict=True))


def test_the_touchdesigner_execute_dat_cooks_the_script_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLES / "touchdesigner")
    cooked: list[tuple[str, bool]] = []
    try:
        execute = importlib.import_module("frame_start")
        stand_in = lambda name: SimpleNamespace(cook=lambda force: cooked.append((name, force)))  # noqa: E731
        monkeypatch.setattr(execute, "op", stand_in, raising=False)
        execute.onFrameStart(1)
    finally:
        sys.modules.pop("frame_start", None)
    assert cooked == [("script1", True)]
