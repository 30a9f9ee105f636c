"""A take's film is exact, whatever it was played in; `--as-played` paints it as it was played, or refuses."""

import json
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.cli.main import main
from sonorama.engine.errors import SonoramaError, ValueRefused
from sonorama.engine.take.reader import Take, read_take
from sonorama.export import replay
from sonorama.export.render import RenderJob, render
from sonorama.export.replay import TakeFrameSource, Worlds

from ..rounding_backend import RoundingBackend, bf16
from .replay_helpers import Live
from .replay_helpers import shows as shows
from .replay_helpers import steady as steady

FRAMES = 90
CHANGES = ((0, "exact"), (30, "bf16"), (60, "exact"), (75, "bf16"))
FAST = {*range(30, 60), *range(75, FRAMES)}


def with_precisions(live: Live, folder: Path, changes: tuple[tuple[int, str], ...] = CHANGES) -> Take:
    """A copy of a take that was played in these precisions."""
    shutil.copytree(live.folder, folder)
    with (folder / "events.jsonl").open("a") as file:
        for frame, precision in changes:
            file.write(json.dumps({"frame": frame, "sample": frame * 1470, "precision": precision}) + "\n")
    return read_take(folder)


@pytest.fixture
def rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine has bf16, and paints on the CPU with what rounds so."""
    monkeypatch.setattr(replay, "open_backend", lambda world, device: RoundingBackend(world))


def film(take: Take, n: int = FRAMES, fps: Fraction | None = None, as_played: bool = False) -> list[np.ndarray]:
    source = TakeFrameSource(take, Worlds(take), fps or take.fps, clean=True, as_played=as_played)
    return [frame for frame in source.frames(n) if frame is not None]


def rounded(live: Live, frame: int) -> np.ndarray:
    step = live.steps[frame]
    return bf16(step.instrument.backend.synthesize(bf16(step.w)))


@pytest.mark.usefixtures("rounding")
def test_a_film_is_exact_to_the_bit_whatever_was_played(steady: Live, tmp_path: Path) -> None:
    for step, frame in zip(steady.steps, film(with_precisions(steady, tmp_path / "x")), strict=True):
        np.testing.assert_array_equal(frame, steady.painted(step))


@pytest.mark.usefixtures("rounding")
def test_as_played_every_frame_is_in_its_precision(steady: Live, tmp_path: Path) -> None:
    frames = film(with_precisions(steady, tmp_path / "x"), as_played=True)
    for index, (step, frame) in enumerate(zip(steady.steps, frames, strict=True)):
        np.testing.assert_array_equal(frame, rounded(steady, index) if index in FAST else steady.painted(step))
    assert not np.array_equal(frames[40], steady.painted(steady.steps[40]))


@pytest.mark.usefixtures("rounding")
def test_as_played_at_another_rate(steady: Live, tmp_path: Path) -> None:
    fps = Fraction(50)
    frames = film(with_precisions(steady, tmp_path / "x"), 140, fps, as_played=True)
    for step, frame in zip(steady.shown(140, fps), frames, strict=True):
        index = step.frame
        np.testing.assert_array_equal(frame, rounded(steady, index) if index in FAST else steady.painted(step))


def test_as_played_a_take_from_before_precision_is_exact(steady: Live) -> None:
    take = read_take(steady.folder)
    assert take.precisions == []
    for exact, as_played in zip(film(take, 20), film(take, 20, as_played=True), strict=True):
        np.testing.assert_array_equal(as_played, exact)


def test_as_played_is_refused_where_the_machine_cannot(
    steady: Live, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In two lines, before anything is written; without it the film is made."""
    take, out = with_precisions(steady, tmp_path / "x", ((0, "exact"), (80, "f7"))), tmp_path / "film.mkv"
    with pytest.raises(SonoramaError, match="was played in f7, in which onnxruntime-cpu cannot paint here") as caught:
        film(take, as_played=True)
    assert caught.value.hint.startswith("Leave --as-played out")
    command = ["render", str(take.folder), "-o", str(out), "--duration", "0.5"]
    assert main([*command, "--as-played"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert main(command) == 0
    assert out.is_file()


@pytest.mark.usefixtures("rounding")
def test_a_device_without_the_precision_is_refused_when_the_take_comes_to_it(
    steady: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = with_precisions(steady, tmp_path / "x")
    worlds = Worlds(take)
    source = TakeFrameSource(take, worlds, take.fps, clean=True, as_played=True)
    monkeypatch.setattr(RoundingBackend, "fast_precisions", lambda _: ())
    with pytest.raises(SonoramaError, match="rounding cannot paint here"):
        list(source.frames(FRAMES))


@pytest.mark.usefixtures("rounding")
def test_exact_and_as_played_are_two_films(steady: Live, tmp_path: Path) -> None:
    take = with_precisions(steady, tmp_path / "x")
    shots = {}
    for as_played in (False, True):
        shots[as_played] = tmp_path / f"shots {as_played}"
        render(RenderJob(take.folder, shots[as_played], duration=1.2, as_played=as_played, clean=True))
        told = json.loads((shots[as_played] / "sonorama.json").read_text())
        assert told.get("as_played", False) is as_played
    same = [(shots[False] / one.name).read_bytes() == one.read_bytes() for one in sorted(shots[True].glob("frame_*"))]
    assert same[:30] == [True] * 30 and not any(same[30:])
    with pytest.raises(SonoramaError):  # the folder of the other film is not continued
        render(RenderJob(take.folder, shots[True], duration=1.2, clean=True))


def test_as_played_is_for_takes(steady: Live, tmp_path: Path) -> None:
    with pytest.raises(ValueRefused, match="--as-played is for takes"):
        render(RenderJob(steady.folder / "audio.wav", tmp_path / "film.mp4", as_played=True))
