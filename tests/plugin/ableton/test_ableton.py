"""Ableton Live through AbletonOSC, with a fake of the script; what it says is in docs/control.md."""

import random
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.plugins.registry import BRIDGES, make
from sonorama.plugin.bridges.ableton import client as client_module
from sonorama.plugin.bridges.ableton.bridge import AbletonBridge
from sonorama.plugin.bridges.ableton.song import Song

from ...speed import slowness
from ..show import Show
from .fake_live import FakeLive

PATIENCE_S = 20 * slowness()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


class Stage:
    """A show, its bridge, and Live."""

    def __init__(self, old: bool = False) -> None:
        self.replies = free_port()
        self.live = FakeLive(self.replies, old)
        self.show = Show(second=100.0)
        self.bridge: AbletonBridge = make(BRIDGES, "ableton", f"port={self.live.port}&replies={self.replies}")
        self.bridge.start(self.show)

    def apart(self) -> float:
        """Beats between the show's clock and Live's."""
        now = time.monotonic_ns()
        bpm, origin = float(self.show.values["/clock/bpm"]), float(self.show.values["/clock/origin"])
        return (self.show.second_at(now) - origin) * bpm / 60 - self.live.beats(now / 1e9)

    def launched(self, path: str) -> list[object]:
        return [one.value for one in self.show.posted if one.path == path]

    def close(self) -> None:
        self.bridge.stop()
        self.bridge.stop()
        self.live.close()


@pytest.fixture(params=[False, True], ids=["new", "old"])
def either(request: pytest.FixtureRequest) -> Iterator[Stage]:
    stage = Stage(request.param)
    yield stage
    stage.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.close()


def test_tempo_and_beat_are_followed(either: Stage) -> None:
    """Also of scripts that send beats unasked. Nobody reads the clock as long as Live stands still."""
    show, live = either.show, either.live
    until(lambda: either.bridge.facts["ableton_tempo"] == 120.0, "no answer")
    assert not show.values["/clock/bpm"]
    live.play(from_beat=6.7)
    until(lambda: show.values["/clock/bpm"] == 120.0, "no clock")
    assert either.bridge.facts["ableton_playing"] is True
    assert abs(either.apart()) < 0.5  # test_beats_that_come_late says how near
    live.set_tempo(240.0)
    until(lambda: show.values["/clock/bpm"] == 240.0, "another tempo is not followed")
    live.stop()
    until(lambda: not show.values["/clock/bpm"], "it has stopped")
    assert not either.launched("/scene/recall") and not either.launched("/cue/goto")


def test_scenes_of_live_are_scenes_or_cues(stage: Stage) -> None:
    live, show = stage.live, stage.show
    show.set("/ableton/launch", "scenes")
    until(lambda: ("scene", "is_triggered", 3) in live.listened, "not listened to")
    live.play()
    until(lambda: stage.bridge.facts["ableton_playing"], "it does not play")
    live.launch(2)
    until(lambda: stage.launched("/scene/recall") == [3], "scene 3 is not recalled")
    assert stage.bridge.facts["ableton_launched"] == 3
    show.set("/ableton/launch", "cues")
    live.scenes = 12
    until(lambda: ("scene", "is_triggered", 11) in live.listened, "new scenes are not listened to")
    live.launch(11)
    until(lambda: stage.launched("/cue/goto") == [12], "cue 12 is not played")
    live.stop()
    until(lambda: not stage.bridge.facts["ableton_playing"], "it plays")
    show.set("/ableton/launch", "off")
    until(lambda: not any(one[0] == "scene" for one in live.listened), "still listened to")


def test_clips_of_a_track_are_scenes(stage: Stage) -> None:
    """A clip that stops is none, and neither is the one that played before."""
    live, show = stage.live, stage.show
    live.slots[1] = 0
    show.set("/ableton/track", 2)
    show.set("/ableton/launch", "scenes")
    until(lambda: ("track", "playing_slot_index", 1) in live.listened, "not listened to")
    time.sleep(0.2)
    for track, slot in ((1, 4), (0, 6), (1, -2), (1, 30), (1, 5)):
        live.play_clip(track, slot)
    until(lambda: len(stage.launched("/scene/recall")) == 2, "clips do nothing")
    assert stage.launched("/scene/recall") == [5, 6]
    assert not any(one[0] == "scene" for one in live.listened)
    show.set("/ableton/track", 9)
    line = "AbletonOSC says: Unknown OSC address: /live/track/start_listen/playing_slot_index"
    until(lambda: line in stage.bridge.faults(), "a track that is not there is not said")


def test_live_may_come_late_and_return(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "ASK_S", 0.1)
    monkeypatch.setattr(client_module, "SILENT_S", 0.5)
    replies, port = free_port(), free_port()
    show, bridge = Show(), AbletonBridge(f"host=localhost&port={port}&replies={replies}")
    bridge.start(show)
    line = f"Ableton Live does not answer at 127.0.0.1:{port}: is AbletonOSC chosen in its settings?"
    until(lambda: list(bridge.faults()) == [line], "not said")
    for _ in range(2):
        live = FakeLive(replies, port=port)
        until(lambda: bridge.facts["ableton_tempo"] == 120.0 and not list(bridge.faults()), "no answer")
        live.play()
        until(lambda: show.values["/clock/bpm"], "no clock")
        live.close()
        until(lambda: not show.values["/clock/bpm"] and list(bridge.faults()) == [line], "it is gone")
    for nonsense in (b"", b"#bundle\0" + b"\xff" * 16, b"/live/song/get/tempo\0\0\0\0,s\0\0x\0\0\0"):
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(nonsense, ("127.0.0.1", replies))
    live = FakeLive(replies, port=port)
    until(lambda: bridge.facts["ableton_tempo"] == 120.0, "nonsense ends it")
    bridge.stop()
    until(lambda: not live.listened, "still listened to")
    live.close()


def test_beats_that_come_late() -> None:
    """By up to 60 ms: the one that is least late counts, through the end of a loop; another tempo goes on from it."""
    dice, song = random.Random(3), Song()
    song.tempo(125.0, 0.0)
    song.play(True)
    now, number = 50.0, 8
    for passed in range(66):
        song.beat(number, now + dice.uniform(0, 0.06))
        late = 0.0 if song.began is None else (song.began - now) % (60 / 125)
        assert song.began is not None or passed == 0
        assert late < 0.012 or passed < 8
        number = 8 if number == 23 else number + 1
        now += 60 / 125
    assert song.began == pytest.approx(now - number * 60 / 125, abs=0.012)
    song.tempo(150.0, now)
    assert song.began is not None
    assert (now - song.began) * 150 / 60 == pytest.approx(number, abs=0.03)
    song.play(False)
    assert song.began is None


def test_a_jump_between_two_beats_is_found_by_the_next_ones() -> None:
    song = Song()
    song.tempo(60.0, 0.0)
    song.play(True)
    for number in range(6):
        song.beat(number, 10.0 + number)
    assert song.began == 10.0
    song.beat(2, 15.5)  # to beat 2.7
    assert song.began == 10.0
    song.beat(3, 15.8)
    assert song.began == pytest.approx(12.8)
    for number in range(4, 8):  # half a beat forward, unseen
        song.beat(number, 12.3 + number)
    assert song.began == pytest.approx(12.3)


def test_bad_arguments(stage: Stage) -> None:
    for argument, message in (("prot=1", "knows no prot"), ("port=0", "port=0 is no port"), ("replies=x", "no port")):
        with pytest.raises(SonoramaError, match=message):
            AbletonBridge(argument)
    with pytest.raises(SonoramaError, match=f"Port {stage.replies}, to which AbletonOSC sends, cannot be opened"):
        AbletonBridge(f"replies={stage.replies}").start(Show())
