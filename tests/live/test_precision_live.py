"""A show changes the precision of its pictures at a frame, and its take says where.

The backend is rounding_backend.py, whose exact pictures are too slow for 30 frames a second where a test wants them so.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from sonorama.engine.inference.backend import threads_of_one
from sonorama.engine.inference.openvino_backend import fast_formats
from sonorama.engine.inference.precision import open_in
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.take.reader import Take, read_take

from ..rounding_backend import EARLY, EXACT_ONLY, NAME, SLOW, RoundingBackend, install
from .replaying import check_pictures
from .stage import LiveShow, Watcher, counting_sound

Start = Callable[..., LiveShow]
SLOW_S = 0.05


@pytest.fixture
def rounding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a show in which the backend is installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    install(folder)
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)}


def recorded(folder: Path) -> list[str]:
    """Precisions so far, as the take has them."""
    events = folder / "events.jsonl"
    rows = events.read_text().splitlines() if events.exists() else []
    return [row.split('"precision": "')[1].split('"')[0] for row in rows if '"precision": "' in row]


def without_plugin(folder: Path) -> Take:
    """A take, read where the backend that it names is not installed."""
    head = folder / "take.json"
    head.write_text(head.read_text().replace(f'"/engine/device": "{NAME}"', '"/engine/device": "auto"'))
    return read_take(folder)


def pictures_in(watcher: Watcher, number: int) -> Callable[[], bool]:
    """Whether so many new ones, none of them repeated, have come since this was called."""
    count = len(watcher.seen)
    return lambda: sum(not one.repeated for one in watcher.seen[count:]) > number


def test_auto_paints_fast_once_exact_is_too_slow_and_every_picture_is_the_take_s(
    start: Start, tmp_path: Path, tiny_world: str, rounding: dict[str, str]
) -> None:
    sound, folder = counting_sound(tmp_path / "count.wav", 90), tmp_path / "a.take"
    show = start("--device", NAME, "--source", f"file:{sound}", "--take", str(folder), "--set", "/out/flash_guard=0",
                 env=rounding | {SLOW: str(SLOW_S)})  # fmt: skip
    renderer = show.playing()
    with Watcher(show.name) as watcher:
        show.wait(lambda: recorded(folder) == ["exact"], "the take does not say how it begins")
        show.wait(lambda: recorded(folder) == ["exact", "bf16"], "it does not become fast")
        show.wait(pictures_in(watcher, 40), "no pictures come")
        os.kill(renderer, signal.SIGKILL)
        show.wait(lambda: recorded(folder) == ["exact", "bf16", "bf16"], "the next renderer does not begin fast")
        show.wait(pictures_in(watcher, 40), "no pictures come")
        show.set("/engine/precision", "exact")
        show.wait(lambda: recorded(folder)[3:] == ["exact"], "it does not become exact")
        show.wait(pictures_in(watcher, 30), "no pictures come")
        show.set("/engine/precision", "fast")
        show.wait(lambda: recorded(folder)[4:] == ["bf16"], "it does not become fast again")
        show.wait(pictures_in(watcher, 30), "no pictures come")
        watcher.check_gaps()
    assert show.stop() == 143
    assert show.row["restarts"] == 1
    take, world = without_plugin(folder), load_world(tiny_world)
    backend = RoundingBackend(world, threads_of_one(), 1)
    exact, fast = LoadedWorld(world, backend), LoadedWorld(world, open_in(backend, "bf16"))
    check_pictures(watcher.seen, take, {tiny_world: exact}, {tiny_world: fast})
    for other in (exact, fast):  # both were seen
        with pytest.raises(AssertionError, match="pictures are not those"):
            check_pictures(watcher.seen, take, {tiny_world: other}, {tiny_world: other})


@pytest.mark.skipif(bool(fast_formats()), reason="this processor can paint fast")
def test_a_machine_without_fast_arithmetic_says_so_and_plays_exactly(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "a.take"
    show = start("--precision", "fast", "--source", "tone", "--take", str(folder))
    show.playing()
    line = "Pictures stay exact: openvino-cpu has no fast precision here"
    show.wait(lambda: any(line in one for one in show.faults()), "nothing is said of it")
    show.holds("/engine/precision", "fast")
    with Watcher(show.name) as watcher:
        show.wait(pictures_in(watcher, 10), "no pictures come")
    assert show.stop() == 143
    assert recorded(folder) == ["exact"]
    assert line in show.output
    assert read_take(folder).precisions[0][1] == "exact"
    assert read_take(folder).start.values["/engine/precision"] == "fast"


@pytest.mark.soak
def test_the_last_block_is_left_out_while_painting_is_too_slow_and_every_picture_is_the_take_s(
    start: Start, tmp_path: Path, tiny_world: str, rounding: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound, folder = counting_sound(tmp_path / "count.wav", 120), tmp_path / "a.take"
    slow = {SLOW: str(SLOW_S), EARLY: "1", EXACT_ONLY: "1"}
    show = start("--device", NAME, "--source", f"file:{sound}", "--take", str(folder), "--set", "/out/flash_guard=0",
                 env=rounding | slow)  # fmt: skip
    show.playing()
    with Watcher(show.name) as watcher:
        show.wait(lambda: recorded(folder) == ["exact", "exact, early exit"], "the last block is not left out")
        show.wait(pictures_in(watcher, 40), "no pictures come")
        show.wait(lambda: recorded(folder)[2:] == ["exact"], "it does not come back")
        show.wait(pictures_in(watcher, 30), "no pictures come")
        watcher.check_gaps()
    assert show.stop() == 143
    assert (
        "the last block of the generator is left out"
        in (Path(os.environ["SONORAMA_LOGS"]) / f"{show.name}.log").read_text()
    )
    monkeypatch.setenv(EARLY, "1")
    loaded = LoadedWorld(load_world(tiny_world), RoundingBackend(load_world(tiny_world), threads_of_one(), 1))
    check_pictures(watcher.seen, without_plugin(folder), {tiny_world: loaded})
