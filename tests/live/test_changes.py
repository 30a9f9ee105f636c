"""Worlds, rates and sizes change in the middle of a show, whose outputs go on."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from sonorama.engine.faults import Faults
from sonorama.engine.ipc.frame_map import FrameMap
from sonorama.engine.ipc.messages import Set
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.renderer.world_loader import WorldLoader
from sonorama.engine.take.reader import read_take

from .replaying import check_pictures, check_sound
from .stage import LiveShow, Watcher, counting_sound, longest_still

Start = Callable[..., LiveShow]


def test_another_world_and_one_that_is_not_there(
    start: Start, tmp_path: Path, tiny_world: str, instrument: LoadedWorld, other_world: Path
) -> None:
    sound, folder = counting_sound(tmp_path / "count.wav", 90), tmp_path / "a.take"
    show = start("--source", f"file:{sound}", "--take", str(folder), "--set", "/out/flash_guard=0",
                 env={"SONORAMA_WORLDS": str(other_world.parent)})  # fmt: skip
    renderer = show.playing()
    with Watcher(show.name) as watcher:
        panel = show.panel()
        panel.send(Set([("/engine/world", "nowhere")]))
        show.wait(
            lambda: any("/engine/world does not take 'nowhere'" in line for line in show.faults()),
            "nothing is said of it",
        )
        show.holds("/engine/world", tiny_world)
        show.set("/meaning/rain/mute", 1)
        show.holds("/meaning/1/mute", True)
        show.set("/engine/world", "nowhere")  # OSC knows that there is none
        show.set("/engine/world", "other")
        show.holds("/engine/world", "other")
        show.wait(lambda: _opened(folder, "other"), "it is not opened")
        show.holds("/meaning/2/mute", True)  # where rain is now
        show.holds("/meaning/1/mute", False)
        count = watcher.new
        show.wait(lambda: watcher.new > count + 45, "no pictures come")
        assert show.renderer() == renderer
        show.set("/engine/world", "shore")  # a renderer that dies while it loads has it to do again
        os.kill(renderer, signal.SIGKILL)
        show.set("/engine/world", "other")
        show.playing()
        show.holds("/engine/world", "other")
        count = watcher.new
        show.wait(lambda: watcher.new > count + 30, "no pictures come")
        watcher.check_gaps()
    assert show.stop() == 143
    take = read_take(folder)
    worlds = {tiny_world: instrument, "other": WorldLoader(Faults()).open(str(other_world), "cpu")}
    check_sound(take, watcher.overslept)
    check_pictures(watcher.seen, take, worlds)
    worlds["other"] = instrument
    with pytest.raises(AssertionError, match="pictures are not those"):
        check_pictures(watcher.seen, take, worlds)


def _opened(folder: Path, world: str) -> bool:
    return f'"opened": ["{world}"' in (folder / "events.jsonl").read_text()


def films(folder: Path) -> list[tuple[int, int, int]]:
    """(width, height, pictures) of every film, in the order of their making."""
    found: list[tuple[int, int, int]] = []
    for path in sorted(folder.glob("r*.mkv"), key=lambda path: path.stat().st_ctime_ns):
        with av.open(path) as container:
            stream = container.streams.video[0]
            found.append((stream.width, stream.height, sum(1 for _ in container.decode(stream))))
    return found


def test_rate_and_size_while_recording(start: Start, tmp_path: Path, tiny_world: str, instrument: LoadedWorld) -> None:
    sound, folder = counting_sound(tmp_path / "count.wav", 90), tmp_path / "a.take"
    show = start("--source", f"file:{sound}", "--take", str(folder), "--record", str(tmp_path / "r.mkv"),
                 "--set", "/out/flash_guard=0", "--precision", "exact")  # fmt: skip
    renderer = show.playing()  # exact: a busy machine would leave frames out, and 60 a second are wanted
    with Watcher(show.name) as watcher, FrameMap(show.name) as seen:
        show.set("/engine/fps", 60.0)
        show.wait(lambda: show.row["fps"] > 40, "it does not become quicker")
        show.set("/engine/fps", 24.0)
        show.wait(lambda: show.row["fps"] < 30, "it does not become slower")
        for width, height in ((96, 48), (33, 17), (64, 64)):
            show.set("/out/width", width)
            show.set("/out/height", height)
            show.wait(lambda size=(width, height): seen.size == size, f"it does not become {width}x{height}")
            count = seen.count
            show.wait(lambda count=count: seen.count > count + 24, "no pictures come")
        watcher.check_gaps()
        assert longest_still(watcher.seen) < 5.0
    assert show.renderer() == renderer
    assert show.stop() == 143
    assert not [line for line in show.faults() if "record" in line]
    made = films(tmp_path)
    assert {(width, height) for width, height, _ in made} >= {(64, 64), (96, 48), (32, 16)}, made
    assert all(pictures > 0 for _, _, pictures in made)
    take = read_take(folder)
    check_sound(take, watcher.overslept)
    whole = [one for one in watcher.seen if one.size == (64, 64)]
    check_pictures(whole, take, {tiny_world: instrument})
