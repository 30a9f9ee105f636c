"""The Blender extension without Blender: the zip, and how it runs sonorama. test_blender.py runs it within Blender."""

import ast
import importlib
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from sonorama import __version__
from sonorama.engine.cli.main import main
from sonorama.engine.cli.progress import Progress
from sonorama.engine.errors import ValueRefused
from sonorama.export.presets import PRESETS

from ..helpers import probe

SONORAMA = str(Path(sys.executable).parent / "sonorama")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip that the command writes."""
    path = tmp_path_factory.mktemp("blender") / "extension.zip"
    assert main(["blender", "-o", str(path)]) == 0
    return path


@pytest.fixture
def sources(package: Path) -> dict[str, str]:
    with zipfile.ZipFile(package) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture
def extension(package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name under which modules of the zip can be imported; bpy is empty."""
    name = "sonorama_extension"
    holder = ModuleType(name)
    holder.__path__ = [str(package)]
    monkeypatch.setitem(sys.modules, name, holder)
    monkeypatch.setitem(sys.modules, "bpy", ModuleType("bpy"))
    yield name
    for module in [each for each in sys.modules if each.startswith(f"{name}.")]:
        sys.modules.pop(module)


@pytest.fixture
def process(extension: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that runs sonorama."""
    module = importlib.import_module(f"{extension}.render_process")
    monkeypatch.setattr(module, "_SECONDS_BETWEEN_LINES", "0")
    return module


def test_the_zip_is_an_extension(package: Path, sources: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    manifest = tomllib.loads(sources.pop("blender_manifest.toml"))
    assert manifest["id"] == "sonorama"
    assert manifest["version"] == __version__
    assert manifest["license"] == ["SPDX:GPL-3.0-or-later"]
    assert "__init__.py" in sources
    before = package.read_bytes()
    assert main(["blender", "-o", str(package)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert package.read_bytes() == before
    assert main(["blender", "-o", f"{package}.again"]) == 0
    assert Path(f"{package}.again").read_bytes() == before


def test_it_needs_nothing_but_blender(sources: dict[str, str]) -> None:
    for name in [name for name in sources if name.endswith(".py")]:
        for node in ast.walk(ast.parse(sources[name])):
            if isinstance(node, ast.ImportFrom) and node.level:
                modules = [node.module] if node.module else [each.name for each in node.names]
                assert all(f"{module}.py" in sources for module in modules), name
            elif isinstance(node, ast.Import | ast.ImportFrom):
                names = [each.name for each in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                assert {each.split(".")[0] for each in names} <= {"bpy", *sys.stdlib_module_names}, name


def test_its_presets_are_sonoramas(sources: dict[str, str]) -> None:
    tree = ast.parse(sources["settings.py"])
    (table,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PRESETS"
    )  # fmt: skip
    told = ast.literal_eval(table)
    assert len(told) == 8
    assert all(suffix in PRESETS[name].suffixes for name, (suffix, _, _) in told.items())


def arguments(process: ModuleType, out: Path, world: str) -> list[str]:
    """A film of 8 frames that begins between two frames of a sound."""
    sound = Path(__file__).parents[3] / "examples" / "rain.ogg"
    return process.FilmOptions(sound, 5.3, 8, Fraction(30000, 1001), out, world, 3, "h264", (64, 48)).arguments()


def test_it_renders_and_tells_how_far_it_is(process: ModuleType, tiny_world: str, tmp_path: Path) -> None:
    out = process.film_path(tmp_path, "rain", ".mp4")
    film = process.RenderProcess(process.find_sonorama(SONORAMA), arguments(process, out, tiny_world))
    while film.running:
        time.sleep(0.02)
    assert film.result()["frames"] == 8
    assert (film.done, film.total, film.seconds_left) == (8, 8, 0)
    video = probe(out)["video"]
    assert (video["nb_read_frames"], video["r_frame_rate"]) == ("8", "30000/1001")
    assert (video["width"], video["height"]) == (64, 48)
    assert process.film_path(tmp_path, "rain", ".mp4") == tmp_path / "rain-2.mp4"


def test_its_errors_are_sonoramas_two_lines(process: ModuleType, tmp_path: Path) -> None:
    film = process.RenderProcess(SONORAMA, arguments(process, tmp_path / "rain.mp4", "atlantis"))
    with pytest.raises(process.RenderError) as error:
        film.result()
    assert "atlantis" in error.value.lines[0]
    assert "world file" in error.value.lines[1]
    with pytest.raises(process.RenderError, match="was not found"):
        process.find_sonorama(str(tmp_path / "sonorama"))
    (tmp_path / "text").write_text("no program")
    (tmp_path / "text").chmod(0o755)
    with pytest.raises(process.RenderError, match="cannot be started"):
        process.RenderProcess(str(tmp_path / "text"), [])


def test_a_cancelled_film_leaves_nothing(process: ModuleType, tiny_world: str, tmp_path: Path) -> None:
    film = process.RenderProcess(SONORAMA, arguments(process, tmp_path / "rain.mp4", tiny_world))
    film.cancel()
    with pytest.raises(process.RenderError, match="cancelled"):
        film.result()
    assert not list(tmp_path.iterdir())


def test_where_a_strip_begins_in_its_sound(extension: str, process: ModuleType) -> None:
    """Retiming cannot be tried in a bpy wheel, which crashes when a key is added to a sound strip."""
    strips = importlib.import_module(f"{extension}.strips")
    strip = SimpleNamespace(
        name="rain", retiming_keys=[], frame_offset_start=12.5, frame_offset_end=3.0, animation_offset_start=4,
        sound_offset=0.5,
    )  # fmt: skip
    assert strips.sound_start(strip, Fraction(25)) == 12.5 + 4 - 0.5 * 25
    for change in ({"retiming_keys": [object()]}, {"sound_offset": 1.0}, {"frame_offset_end": -1.0}):
        with pytest.raises(process.RenderError):
            strips.sound_start(SimpleNamespace(**{**vars(strip), **change}), Fraction(25))
    scene = SimpleNamespace(render=SimpleNamespace(fps=30, fps_base=1.0010000467300415))
    assert strips.rate(scene) == Fraction(30000, 1001)


def test_progress_is_refused_that_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONORAMA_PROGRESS", "often")
    with pytest.raises(ValueRefused, match="SONORAMA_PROGRESS"):
        Progress("render")
