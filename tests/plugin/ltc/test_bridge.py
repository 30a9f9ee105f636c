"""Timecode on a channel of the show's input: the cue list follows it, and it is not heard."""

import json
import os
import time
import wave
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio.block_reader import BlockReader
from sonorama.engine.audio.ring_memory import RingMemory
from sonorama.engine.errors import SonoramaError
from sonorama.engine.plugins.registry import BRIDGES, make
from sonorama.engine.show.plan import TEST_PATTERN, ShowPlan
from sonorama.engine.show.show import Show as RealShow
from sonorama.plugin.bridges.ltc.bridge import LtcBridge

from ...speed import slowness
from ..show import Show
from .libltc import timecode

RATE, FPS = 48_000, Fraction(25)
RUNNING, ORIGIN = "/timecode/running", "/timecode/origin"


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + 20 * slowness()
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


@pytest.fixture
def stage() -> Iterator[tuple[Show, LtcBridge]]:
    show, bridge = Show(second=-50.0), make(BRIDGES, "ltc", "2")
    bridge.start(show)
    yield show, bridge
    bridge.stop()
    bridge.stop()


def test_it_is_followed_where_it_is_chosen(stage: tuple[Show, LtcBridge]) -> None:
    show, bridge = stage
    sound, begun = timecode(RATE, FPS, (1, 0, 10, 0), 40), time.monotonic_ns() + 10**12

    def play() -> None:
        """At moments that are far ahead, so that nothing is over, however slow the machine is."""
        for first in range(0, sound.size, 300):
            block = sound[first : first + 300]
            show.taken[2](block, RATE, begun + (first + block.size) * 1_000_000_000 // RATE)

    play()
    until(lambda: bridge.facts["ltc_timecode"] == "01:00:11:13 at 25", "not decoded")
    assert show.posted == []
    show.set("/timecode/source", "ltc")
    play()
    until(lambda: show.values[RUNNING], "it does not run")
    assert show.values[ORIGIN] == pytest.approx(begun / 1e9 - 50 - 3610, abs=1e-3)
    show.set("/timecode/source", "off")
    until(lambda: not show.values[RUNNING], "it is followed")
    assert [one.path for one in show.posted] == ["/timecode/source", ORIGIN, RUNNING, "/timecode/source", RUNNING]


def test_the_channel_is_not_part_of_the_sound() -> None:
    taken: list[np.ndarray] = []
    for channels, heard in ((1, 0.0), (2, 0.5), (4, 0.5)):
        ring = RingMemory.anonymous(44_100, channels, 44_100)
        block = np.full((channels, 1000), 0.5, np.float32)
        block[channels - 1] = 0.25
        reader = BlockReader(ring, time.sleep, {channels: lambda part, rate, at_ns: taken.append(part)})
        ring.write(block, 5)
        found = reader.take()
        assert found is not None and reader.missing == []
        assert np.allclose(found[0], heard) and (taken.pop() == 0.25).all() and found[0].shape == (2, 1000)
    assert BlockReader(ring, time.sleep, {5: lambda *_: None}).missing == [5]


def test_a_show_plays_its_cues_by_timecode(tmp_path: Path, tiny_world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the right channel of its sound, which begins at 01:00:00:20: the first cue is the one of that place."""
    monkeypatch.setenv("SONORAMA_LOOKS", str(tmp_path))
    monkeypatch.setenv("SONORAMA_SHOWS", str(tmp_path / "shows"))
    right = timecode(RATE, FPS, (1, 0, 0, 20), 25 * 4)
    with wave.open(str(tmp_path / "set.wav"), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes((np.stack([np.zeros_like(right), right], axis=1) * 16_000).astype("<i2").tobytes())
    path = tmp_path / "list.json"
    times = {11: 0.0, 12: 0.5, 13: 2.0}
    path.write_text(json.dumps({"cues": [{"set": {"/look/seed": seed}, "sound": at} for seed, at in times.items()]}))
    values = {"/out/width": 32, "/out/height": 18, "/timecode/source": "ltc", "/timecode/offset": 3600.0}
    plan = ShowPlan(
        f"ltc-{os.getpid()}", f"file:{tmp_path / 'set.wav'}", tiny_world, values, bridges=("ltc:2",),
        osc_port=0, osc_out=0, renderer=TEST_PATTERN, cues=path,
    )  # fmt: skip
    seeds: list[int] = []
    with RealShow(plan) as show:
        show.events.changed.subscribe(
            lambda changes: seeds.extend(int(one.value) for one in changes if one.path == "/look/seed"), "test"
        )
        until(lambda: len(seeds) >= 2, "the cues do not follow")
        assert str(show.bridges.facts["ltc_timecode"]).startswith("01:00:0")
        assert show.sound.faults() == []
    assert seeds[:2] == [12, 13]


@pytest.mark.parametrize("argument", ["", "0", "left", "257"])
def test_arguments(argument: str) -> None:
    with pytest.raises(SonoramaError, match="is no channel"):
        LtcBridge(argument)
