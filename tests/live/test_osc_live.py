"""OSC at a running show: hostile packets, bursts, blackout, and liblo's programs as the other side."""

import json
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.ipc.messages import Set
from sonorama.engine.take.reader import read_take

from ..engine.osc.osc_helpers import KILLERS, fuzz, message
from .stage import LiveShow, Watcher, burst

Start = Callable[..., LiveShow]


def harmless(packets: Iterator[bytes]) -> Iterator[bytes]:
    """Without those that stop the pictures or make them black for good reasons, or fill a disk."""
    for packet in packets:
        if not any(part in packet for part in (b"/out/", b"/scene/", b"/picture/", b"*", b"{")):
            yield packet


def flooded(start: Start, packets: int, rounds: int) -> None:
    """The moment of sending against the newest picture then: the second one after it is black at the latest."""
    show = start("--source", "tone", "--set", "/out/flash_guard=0")
    renderer, part = show.playing(), packets // rounds
    hostile, dice = [*harmless(fuzz(packets, 5)), *KILLERS * 20], random.Random(7)
    dice.shuffle(hostile)
    with Watcher(show.name) as watcher:
        late: list[int] = []
        for number in range(rounds):
            for packet in hostile[number * part : number * part + part * 3 // 4]:
                show.send(packet)
            before = watcher.seen[-1].count
            show.set("/out/blackout", True)
            show.wait(lambda: watcher.seen[-1].mean == 0.0, "it does not become black")
            late.append(next(one.count for one in watcher.seen if one.count > before and one.mean == 0.0) - before)
            for packet in hostile[number * part + part * 3 // 4 : number * part + part]:
                show.send(packet)
            show.set("/out/blackout", False)
            show.wait(lambda: watcher.seen[-1].mean > 1.0, "the picture does not come back")
        gap = max(b.at - a.at for a, b in pairwise(watcher.seen))
    print(f"black after {late} pictures; longest gap {gap:.3f} s; {show.row}")
    assert sorted(late)[len(late) // 2] <= 2 + round(30 * watcher.overslept), (late, watcher.overslept)
    watcher.check_gaps()
    values = show.values()
    assert all(SHOW[path].clip(value) == value for path, value in values.items())
    assert show.renderer() == renderer
    assert show.row["restarts"] == 0
    assert "Traceback" not in show.output


def test_blackout_acts_within_a_picture_in_a_flood_of_hostile_packets(start: Start) -> None:
    flooded(start, 4000, 10)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_hundred_thousand_hostile_packets(start: Start) -> None:
    flooded(start, 200_000, 40)


def test_anything_at_all_by_osc(start: Start) -> None:
    """Everything that the fuzzer has, patterns, scenes, panics and sizes included, while a take is kept."""
    show = start("--source", "tone")
    show.playing()
    burst(show.session()["osc_port"], list(fuzz(4000, 11)))
    for path in ("/out/blackout", "/out/freeze", "/out/record"):
        show.set(path, False)
    show.set("/engine/fps", 30.0)
    show.set("/look/seed", 4)
    show.holds("/look/seed", 4)
    show.set("/out/width", 64)
    show.set("/out/height", 64)
    show.set("/out/master", 1.0)
    show.holds("/out/master", 1.0)
    show.playing()
    values = show.values()
    assert all(SHOW[path].clip(value) == value for path, value in values.items())
    assert show.row["restarts"] == 0


def test_a_burst_reaches_the_take_whole(start: Start, tmp_path: Path) -> None:
    """5,000 messages at once: no event is missing, and of every control the last value is there."""
    show = start("--source", "tone", "--take", str(tmp_path / "a.take"))
    show.playing()
    floats = [
        path for path, param in SHOW.items() if param.kind == "float" and not path.startswith(("/engine", "/out"))
    ]
    last: dict[str, float] = {}
    packets: list[bytes] = []
    for number in range(2500):
        path = floats[number % len(floats)]
        last[path] = SHOW[path].from_norm((number * 37 % 1000) / 1000)
        packets += [message(f"/sonorama{path}", "d", last[path]), message("/sonorama/sound/resync", "i", 1),
                    message("/sonorama/sound/resync", "i", 0)][: 3 if number % 2 else 1]  # fmt: skip
    packets = packets[:5000]
    resyncs = sum(b"resync" in packet and packet.endswith(b"\0\1") for packet in packets)
    assert resyncs == 1250
    burst(show.session()["osc_port"], packets)
    path, value = list(last.items())[-1]
    show.holds(path, value)

    def kept() -> int:
        events = [json.loads(line) for line in (tmp_path / "a.take" / "events.jsonl").read_text().splitlines()]
        return sum(row[0] == "/sound/resync" for event in events for row in event.get("set", ()))

    show.wait(lambda: kept() >= resyncs, "events are missing", 30.0)
    assert show.stop() == 143
    take = read_take(tmp_path / "a.take")
    assert kept() == resyncs
    assert not take.dropped
    asked = {one.path: one.value for changes in take.changes.values() for one in changes}
    assert {path: asked[path] for path in last} == pytest.approx(last)
    assert not [line for line in show.faults() if "OSC" in line]


def test_a_flood_from_the_first_moment_keeps_no_renderer_from_playing(start: Start) -> None:
    """While it loads nobody reads what is asked of it; it has the last of everything when it plays."""
    show = start("--source", "tone")
    port, number = show.session()["osc_port"], 0
    paths = [path for path, param in SHOW.items() if param.kind == "float" and path.startswith(("/motion", "/moves"))]
    with Watcher(show.name) as watcher:
        while not any(one.frame > 30 for one in watcher.seen):
            assert show.process.poll() is None
            packets = [
                message(f"/sonorama{path}/norm", "f", (number + at) % 100 / 100) for at, path in enumerate(paths)
            ]
            burst(port, packets * 20)
            number += 1

    def is_set() -> bool:
        show.set("/motion/fine/kappa", 0.25)  # again, since what comes while the queue is full is lost
        return show.values()["/motion/fine/kappa"] == 0.25

    show.wait(is_set, "what is sent afterwards does not act")
    assert show.row["restarts"] == 0


@contextmanager
def oscdump(path: Path) -> Iterator[int]:
    """liblo's oscdump writing into a file; its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    with path.open("w") as out, subprocess.Popen(["oscdump", "-L", str(port)], stdout=out) as process:
        try:
            yield port
        finally:
            process.terminate()


def test_liblo_speaks_and_hears(start: Start, tmp_path: Path) -> None:
    assert shutil.which("oscsend"), "oscsend is missing: apt-get install liblo-tools"
    show = start("--source", "tone")
    show.playing()
    port = show.session()["osc_port"]

    def oscsend(*words: str) -> None:
        subprocess.run(["oscsend", "127.0.0.1", str(port), *words], check=True, timeout=60)

    with oscdump(tmp_path / "dump") as back:

        def heard(part: str) -> list[str]:
            return [line for line in (tmp_path / "dump").read_text().splitlines() if part in line]

        def subscribed() -> bool:
            oscsend("/sonorama/subscribe", "i", str(back))  # oscdump may not listen yet
            return bool(heard("/sonorama/sound/level"))

        show.wait(subscribed, "no meters come")
        oscsend("/sonorama/motion/mid/amount", "f", "0.375")
        show.wait(lambda: heard("/sonorama/motion/mid/amount "), "no feedback comes")
        assert heard("/sonorama/motion/mid/amount ")[-1].split()[-1] == "0.375000"
        for name in ("sound/bass", "sound/onset", "sound/bpm", "heard/1/label", "heard/1/score", "heard/3/label",
                     "engine/fps", "engine/latency", "engine/precision/now", "health"):  # fmt: skip
            show.wait(lambda name=name: heard(f"/sonorama/{name} "), f"{name} does not come")
        assert heard("/sonorama/heard/1/label")[-1].split()[-1].strip('"') in ("rain", "wind", "fire")
        assert heard("/sonorama/health")[-1].split()[-1] == "1"
        levels, rates = len(heard("/sonorama/sound/level ")), len(heard("/sonorama/engine/fps "))
        show.wait(lambda: len(heard("/sonorama/engine/fps ")) >= rates + 20, "no figures come")
        assert len(heard("/sonorama/sound/level ")) >= levels + 40  # with every frame; figures ten times a second
        panel = show.panel()
        panel.send(Set([("/look/truncation", 0.625)]))
        show.wait(lambda: heard("/sonorama/look/truncation "), "the panel's change does not come by OSC")
        assert heard("/sonorama/look/truncation ")[-1].split()[-1] == "0.625000"
        oscsend("/sonorama/dump", "i", str(back))
        values = show.values()
        show.wait(lambda: heard("/sonorama/look/seed_b"), "no dump comes")
        time.sleep(0.3)  # the rest of it
        for path, value in values.items():
            if SHOW[path].kind in ("float", "int") and not path.startswith(("/engine", "/sound")):  # meters there
                told = heard(f"/sonorama{path} ")
                assert told, path
                assert float(told[-1].split()[-1]) == pytest.approx(float(value), abs=1e-5), path
    assert values["/motion/mid/amount"] == 0.375
    assert values["/look/truncation"] == 0.625


def test_two_shows_tell_two_ports(start: Start) -> None:
    ears = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    with ears[0], ears[1]:
        for number, ear in enumerate(ears):
            ear.bind(("127.0.0.1", 0))
            ear.settimeout(60.0)
            start("--source", "tone", "--osc-out", str(ear.getsockname()[1]), "--set", f"/look/seed={number + 70}")
        own = {ear: {ear.recvfrom(65_536)[1] for _ in range(20)} for ear in ears}
        assert len(own[ears[0]] | own[ears[1]]) == 2
        assert all(len(senders) == 1 for senders in own.values())
