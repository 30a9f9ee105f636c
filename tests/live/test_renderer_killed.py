"""A renderer that is killed costs nothing but repeated pictures; what comes after goes on to the bit."""

import os
import random
import signal
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.take.reader import read_take

from .replaying import check_pictures, check_sound
from .stage import RENDERER, LiveShow, Seen, Watcher, counting_sound

Start = Callable[..., LiveShow]
GAP_S = 1.5
"""Pictures leave every 33 ms; on a machine with other work a thread may have to wait that long."""


def check_rhythm(seen: list[Seen]) -> float:
    """The count rises all the time, and pictures are never black; the longest gap in seconds."""
    gap = max(b.at - a.at for a, b in pairwise(seen))
    assert gap < GAP_S, f"nothing left for {gap:.2f} s"
    assert all(a.count < b.count and a.frame <= b.frame for a, b in pairwise(seen))
    assert all(one.mean > 1.0 for one in seen)
    again = [(a, b) for a, b in pairwise(seen) if b.repeated and b.count == a.count + 1]
    assert all(a.digest == b.digest and a.frame == b.frame for a, b in again)
    return gap


def kill_many(show: LiveShow, kills: int, dice: random.Random) -> list[float]:
    """Kill the renderer again and again; how long each took to be back, seconds from the kill to a new picture."""
    back: list[float] = []
    for number in range(kills):
        renderer = show.playing()
        for _ in range(dice.randrange(3)):
            show.set(f"/motion/{dice.choice(['coarse', 'mid', 'fine'])}/amount", dice.random())
            time.sleep(dice.uniform(0.0, 0.4))
        show.set("/look/seed_b", 100 + number)  # may be on its way when it dies
        time.sleep(dice.choice([0.0, 0.01, 0.05, 1.5]))
        os.kill(renderer, signal.SIGKILL)
        begun = time.monotonic()
        show.wait(lambda: show.row.get("renderer_pid") not in (0, renderer), "no other renderer comes")  # noqa: B023
        show.playing()
        back.append(time.monotonic() - begun)
    return back


def killed(start: Start, tmp_path: Path, instrument: LoadedWorld, kills: int) -> None:
    dice = random.Random(os.environ.get("SONORAMA_SEED", "3"))
    sound, take = counting_sound(tmp_path / "count.wav", 60 + 15 * kills), tmp_path / "a.take"
    show = start(
        "--source", f"file:{sound}", "--take", str(take), "--set", "/out/flash_guard=0", "--set", "/look/drift=0.3",
        "--set", "/look/fine/mix=0.5", "--seed", "11",
    )  # fmt: skip
    show.playing()
    with Watcher(show.name) as watcher:
        back = kill_many(show, kills, dice)
        show.holds("/look/seed_b", 100 + kills - 1)
        values = show.values()
    restarts = show.row["restarts"]
    assert show.stop() == 128 + signal.SIGTERM
    print(f"back after {', '.join(f'{one:.1f}' for one in back)} s; longest gap {check_rhythm(watcher.seen):.3f} s")
    kept = read_take(take)
    assert restarts == kills
    assert [count for _, count in kept.restarts] == list(range(1, kills + 1))
    assert not kept.fresh
    assert not kept.deaf
    asked = {change.path: change.value for changes in kept.changes.values() for change in changes}
    assert {path: values[path] for path in asked} == asked
    assert values["/look/seed"] == 11
    check_sound(kept, watcher.overslept)
    check_pictures(watcher.seen, kept, {str(kept.start.values["/engine/world"]): instrument})


@pytest.mark.timeout(900)
def test_a_renderer_killed_twice_goes_on_to_the_bit(start: Start, tmp_path: Path, instrument: LoadedWorld) -> None:
    killed(start, tmp_path, instrument, 2)


def test_one_that_can_never_go_on_begins_at_rest(start: Start, tmp_path: Path, instrument: LoadedWorld) -> None:
    """Three die before they have caught up, as if of what the first one left: the take knows where it began anew."""
    sound, take = counting_sound(tmp_path / "count.wav", 90), tmp_path / "a.take"
    show = start("--source", f"file:{sound}", "--take", str(take), "--set", "/out/flash_guard=0")
    dead = {show.playing()}
    with Watcher(show.name) as watcher:
        show.set("/look/seed_b", 7)
        show.wait(lambda: '"/look/seed_b"' in (take / "events.jsonl").read_text(), "it does not act")
        for _ in range(3):
            pid = next(iter(set(show.children(RENDERER)) - dead), show.renderer())
            os.kill(pid, signal.SIGKILL)
            dead.add(pid)
            show.wait(lambda: set(show.children(RENDERER)) - dead, "no other renderer comes")
        show.set("/look/seed", 12)
        show.playing()
        show.holds("/look/seed", 12)
        count = watcher.new
        show.wait(lambda: watcher.new > count + 90, "no pictures come")
    check_rhythm(watcher.seen)
    assert show.stop() == 128 + signal.SIGTERM
    kept = read_take(take)
    assert len(kept.fresh) == 1
    assert kept.fresh[0].values["/look/seed_b"] == 7
    check_sound(kept, watcher.overslept)
    check_pictures(watcher.seen, kept, {str(kept.start.values["/engine/world"]): instrument})


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_renderer_killed_fifty_times_goes_on_to_the_bit(
    start: Start, tmp_path: Path, instrument: LoadedWorld
) -> None:
    killed(start, tmp_path, instrument, 50)
