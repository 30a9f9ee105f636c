"""A Link session between the bridge and another program, in a network of their own; prints JSON.

python tests/plugin/link/session.py [readings]; it is meant to be run by `in_network`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.plugin.show import Show
from tests.speed import slowness

from sonorama.plugin.bridges.link import follower
from sonorama.plugin.bridges.link.bridge import LinkBridge

ROOT = Path(__file__).parents[3]
NETWORK = "ip link set lo up; ip link set lo multicast on; ip route add 224.0.0.0/4 dev lo; exec "
PATIENCE_S = 20 * slowness()


def in_network(readings: int) -> dict[str, Any]:
    """What `main` finds."""
    command = ["unshare", "-rn", "bash", "-c", f'{NETWORK} "$0" "$@"', sys.executable, __file__, str(readings)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


class Peer:
    """The other program, in a process of its own."""

    def __init__(self, tempo: float) -> None:
        command = [sys.executable, str(Path(__file__).with_name("peer.py")), str(tempo)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def read(self, count: int) -> list[tuple[float, ...]]:
        self.say(f"read {count}")
        assert self._process.stdout is not None
        return [tuple(map(float, self._process.stdout.readline().split())) for _ in range(count)]

    def leave(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(PATIENCE_S) == 0


def apart_ms(show: Show, peer: Peer, count: int) -> list[float]:
    """How far the show's place in the bar is from the peer's at each reading, in milliseconds."""
    found: list[float] = []
    for at_ns, _, _, phase in peer.read(count):
        bpm, origin = float(show.values["/clock/bpm"]), float(show.values["/clock/origin"])
        beats = (show.second_at(round(at_ns)) - origin) * bpm / 60
        found.append(((beats - phase + 2) % 4 - 2) * 60_000 / bpm)
    return found


def main(readings: int) -> None:
    found: dict[str, Any] = {}
    follower.ALONE_S = 1.0
    show, bridge = Show(second=500.0), LinkBridge("")
    bridge.start(show)
    time.sleep(0.8)  # a session of ours would be the older one
    assert show.values["/clock/bpm"] == 0.0
    peer = Peer(133.0)
    until(lambda: show.values["/clock/bpm"], "no clock")
    found["tempo"] = show.values["/clock/bpm"]
    found["apart_ms"] = apart_ms(show, peer, readings)
    peer.say("tempo 171.5")
    until(lambda: abs(float(show.values["/clock/bpm"]) - 171.5) < 0.01, "another tempo is not followed")
    found["apart_after_ms"] = apart_ms(show, peer, readings)
    peer.say("play")
    until(lambda: bridge.facts == {"link_peers": 1, "link_playing": True}, "not playing")
    found["faults"] = list(bridge.faults())
    time.sleep(0.1)
    peer.say("stop")
    until(lambda: not show.values["/clock/bpm"], "it has stopped")
    peer.say("play")
    until(lambda: show.values["/clock/bpm"], "it plays again")
    found["posts"] = len(show.batches)
    peer.leave()
    until(lambda: not show.values["/clock/bpm"], "it has left")
    until(lambda: list(bridge.faults()), "nobody is there")
    found["alone"] = list(bridge.faults())
    time.sleep(0.1)
    again = Peer(150.0)
    until(lambda: show.values["/clock/bpm"], "no clock of the next one")
    found["next"] = show.values["/clock/bpm"]
    again.leave()
    bridge.stop()
    bridge.stop()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
