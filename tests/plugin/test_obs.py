"""A real OBS shows the pictures: its own Media Source reads the stream, a Lua script the frame map."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.ipc.frame_map import FrameMapWriter
from sonorama.plugin.sinks.stream import StreamSink

from ..speed import slowness
from .obs import Obs, running
from .sinks import info
from .test_stream import COLOURS, quarters


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:  # its path is short enough for sockets
        yield Path(made)


def colours(shot: np.ndarray) -> np.ndarray:
    """Of the four quarters."""
    height, width = shot.shape[:2]
    return shot[height // 4 :: height // 2, width // 4 :: width // 2]


def shows(
    obs: Obs, name: str, size: tuple[int, int], send: Callable[[int], object], ticks: Iterator[int], least: int = 0
) -> None:
    """Send pictures until the source shows one with at least that number, the right way up and in their colours."""
    end = time.monotonic() + 90 * slowness()
    for tick in ticks:
        send(tick)
        time.sleep(0.03)
        if tick % 10 == 9 and obs.size(name) == size:
            shot = obs.picture(name)
            assert np.array_equal(colours(shot), COLOURS)
            if shot[size[1] // 2, size[0] // 2, 0] >= least:
                return
        assert time.monotonic() < end


def test_its_media_source_reads_the_stream_and_reconnects(folder: Path) -> None:
    sink = StreamSink(f"unix:{folder}/nut")
    sink.open(info("obs", 64, 48))
    settings = {
        "is_local_file": False, "input": f"unix:{folder}/nut", "input_format": "nut", "buffering_mb": 0,
        "reconnect_delay_sec": 1,
    }  # fmt: skip
    with running(folder, []) as obs:
        obs.ask("CreateInput", sceneName="Scene", inputName="media", inputKind="ffmpeg_source", inputSettings=settings)
        ticks = count()
        shows(obs, "media", (64, 48), lambda tick: sink.send(quarters(tick)), ticks, least=40)
        sink.open(info("obs", 96, 64))  # ends the connection
        shows(obs, "media", (96, 64), lambda tick: sink.send(quarters(tick, 96, 64)), ticks)
    sink.close()


def test_the_lua_source_shows_the_frame_map_through_sizes_and_owners(folder: Path) -> None:
    name = f"obs-{os.getpid()}"
    script = Path(__file__).parents[2] / "examples" / "obs" / "sonorama_obs.lua"

    def publish(tick: int, width: int, height: int) -> None:
        writer.publish(quarters(tick, width, height).pixels, 0, tick)

    ticks = count()
    with running(folder, [script]) as obs:
        obs.ask(
            "CreateInput", sceneName="Scene", inputName="lua", inputKind="sonorama_frame_map",
            inputSettings={"name": name},
        )  # fmt: skip
        with FrameMapWriter(name, 64, 48) as writer:
            shows(obs, "lua", (64, 48), lambda tick: publish(tick, 64, 48), ticks, least=30)
            writer.resize(96, 64)
            shows(obs, "lua", (96, 64), lambda tick: publish(tick, 96, 64), ticks)
        with FrameMapWriter(name, 64, 48) as writer:  # another show of the same name
            shows(obs, "lua", (64, 48), lambda tick: publish(tick, 64, 48), ticks)
