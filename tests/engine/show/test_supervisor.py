"""What a dead renderer leaves to the next one."""

import os
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sonorama.engine.control.parameters import Change
from sonorama.engine.faults import Faults
from sonorama.engine.ipc.channel import ChannelClosed
from sonorama.engine.ipc.shared_paths import inner_name, shared_path
from sonorama.engine.show.supervisor import Keeper

IDLE = (sys.executable, "-c", "import sys; sys.stdin.read(); import time; time.sleep(60)")
AMOUNT = "/motion/coarse/amount"


class Line:
    """A renderer's end of the line, in this process."""

    largest = 0

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.says: deque[dict[str, Any]] = deque()
        self.open = True

    def send(self, message: Mapping[str, Any]) -> None:
        if not self.open:
            raise ChannelClosed("gone", "gone")
        self.got.append(dict(message))

    def receive(self, timeout: float | None = 0.0) -> dict[str, Any] | None:
        if not self.open:
            raise ChannelClosed("gone", "gone")
        return self.says.popleft() if self.says else None

    def close(self) -> None:
        self.open = False

    def did(self, frame: int, seq: int, *changes: Change) -> None:
        rows = [[one.path, one.value, one.source, one.over] for one in changes]
        self.says.append({"frame": frame, "sample": frame * 1470, "did": rows, "seq": seq})


def change(value: float) -> Change:
    return Change(AMOUNT, value, "test")


@pytest.fixture
def applied() -> list[tuple[int, float]]:
    return []


@pytest.fixture
def keeper(applied: list[tuple[int, float]]) -> Iterator[Keeper]:
    def did(frame: int, _: int, changes: list[Change]) -> None:
        applied.extend((frame, float(one.value)) for one in changes if one.path == AMOUNT)

    made = Keeper(f"keep-{os.getpid()}", {AMOUNT: 1.0}, lambda: (500, 700_000), did, Faults(), IDLE)
    yield made
    made.close()


def join(keeper: Keeper, ready: bool = True) -> Line:
    line = Line()
    keeper.join(line)  # pyright: ignore[reportArgumentType] (it is all of a Peer that is used)
    if ready:
        line.says.append({"ready": {"device": "test"}})
        keeper.receive()
    return line


def test_the_first_one_begins_with_the_values(keeper: Keeper) -> None:
    line = join(keeper)
    order = line.got[0]["start"]
    assert (order["values"], order["state"], order["journal"]) == ({AMOUNT: 1.0}, "", [])
    assert "fresh" not in order


def test_what_was_asked_for_before_it_came_is_sent(keeper: Keeper) -> None:
    keeper.ask([change(0.2)])
    line = join(keeper)
    assert line.got[1] == {"do": [[AMOUNT, 0.2, "test", 0.0]], "seq": 1}


def test_the_next_one_is_told_what_was_done_and_asked_for_what_was_not(
    keeper: Keeper, applied: list[tuple[int, float]]
) -> None:
    first = join(keeper)
    for value in (0.1, 0.2, 0.3):
        keeper.ask([change(value)])
    first.did(12, 2, change(0.2))
    keeper.receive()
    second = join(keeper)
    assert not first.open
    assert second.got[0]["start"]["journal"] == [[12, [[AMOUNT, 0.2, "test", 0.0]]]]
    assert second.got[0]["start"]["values"] == {AMOUNT: 1.0}  # the journal leads from there to here
    assert second.got[1:] == [{"do": [[AMOUNT, 0.3, "test", 0.0]], "seq": 4}]
    assert applied == [(12, 0.2)]


def test_a_kept_state_takes_the_place_of_the_journal_before_it(keeper: Keeper) -> None:
    line = join(keeper)
    for frame in (5, 9, 14):
        keeper.ask([change(frame / 100)])
        line.did(frame, frame, change(frame / 100))
    line.says.append({"kept": 9})
    keeper.receive()
    order = join(keeper).got[0]["start"]
    assert order["state"] == str(keeper.state_file)
    assert [frame for frame, _ in order["journal"]] == [14]


def test_after_three_deaths_in_a_row_it_begins_afresh_with_the_values_of_now(keeper: Keeper) -> None:
    line = join(keeper)
    keeper.ask([change(0.25)])
    line.did(3, 1, change(0.25))
    line.says.append({"kept": 3})
    keeper.receive()
    for _ in range(3):
        keeper._retry_at = 0.0
        keeper.look()
        assert keeper._process is not None
        keeper._process.kill()
        end = time.monotonic() + 20
        while keeper._process is not None and time.monotonic() < end:
            keeper.look()
            time.sleep(0.005)
    order = join(keeper).got[0]["start"]
    assert order["fresh"] == [500, 700_000]
    assert (order["state"], order["journal"], order["values"]) == ("", [], {AMOUNT: 0.25})


def test_a_dead_one_is_replaced_and_counted(keeper: Keeper) -> None:
    keeper.look()
    first = keeper.pid
    assert first and keeper.restarts == 0
    os.kill(first, 9)
    end = time.monotonic() + 20
    while keeper.pid in (0, first) and time.monotonic() < end:
        keeper.look()
        time.sleep(0.005)
    assert keeper.pid not in (0, first)
    assert keeper.restarts == 1


def test_one_that_says_nothing_is_replaced(keeper: Keeper) -> None:
    keeper.look()
    line = join(keeper)
    line.says.append({"ready": {"device": "test"}})
    keeper.receive()
    assert keeper.playing
    first, keeper._heard_at = keeper.pid, time.monotonic() - 3600
    keeper.look()
    assert keeper.pid != first and not keeper.playing


def test_what_it_could_not_begin_with_is_known(keeper: Keeper) -> None:
    line = join(keeper, ready=False)
    line.says.append({"failed": ["no such world", "choose another"]})
    keeper.receive()
    assert keeper.failed == ("no such world", "choose another")


def test_nothing_is_left_of_a_renderer_that_was_killed(keeper: Keeper) -> None:
    inner = shared_path(inner_name(f"keep-{os.getpid()}"))
    for left in (inner, keeper.state_file):
        left.write_bytes(b"left")
    keeper.close()
    assert not inner.exists() and not keeper.state_file.exists()


def test_what_takes_seconds_is_asked_again_until_it_is_done(keeper: Keeper) -> None:
    """Other changes that came later are done; the world was not there yet when it died."""
    first, world = join(keeper), Change("/engine/world", "other", "test")
    keeper.ask([world])
    keeper.ask([change(0.5)])
    first.did(4, 2, change(0.5))
    keeper.receive()
    second = join(keeper)
    assert [row[:2] for row in second.got[1]["do"]] == [["/engine/world", "other"]]
    second.did(9, 3, world)
    keeper.receive()
    assert len(join(keeper).got) == 1


def test_a_text_is_done_when_its_place_is_found(keeper: Keeper) -> None:
    text, place = Change("/look/text", "rain", "test"), Change("/look/prompt", 7, "text")
    first = join(keeper)
    keeper.ask([text])
    first.did(4, 1, text)
    keeper.receive()
    second = join(keeper)
    assert [row[:2] for row in second.got[1]["do"]] == [["/look/text", "rain"]]
    second.did(9, 2, text)
    second.did(11, 2, place)
    keeper.receive()
    assert len(join(keeper).got) == 1


def test_while_nobody_plays_the_last_of_everything_waits(keeper: Keeper) -> None:
    line = join(keeper, ready=False)
    for number in range(500):
        keeper.ask([change(number / 500), Change("/sound/tap", True, "test")])
    assert len(line.got) == 1
    line.says.append({"ready": {}})
    keeper.receive()
    (asked,) = line.got[1:]
    assert asked["do"][0] == [AMOUNT, 499 / 500, "test", 0.0]
    assert len(asked["do"]) == 1 + 64


def test_what_it_did_shortly_before_its_death_is_heard(keeper: Keeper, applied: list[tuple[int, float]]) -> None:
    keeper.look()
    line = join(keeper)
    keeper.ask([change(0.5)])
    line.did(4, 1, change(0.5))
    os.kill(keeper.pid, 9)
    end = time.monotonic() + 20
    while keeper.peer is not None and time.monotonic() < end:
        keeper.look()
    assert applied == [(4, 0.5)]
    assert len(join(keeper).got) == 1


def test_one_that_kept_a_state_before_each_death_never_begins_afresh(keeper: Keeper) -> None:
    for number in range(6):
        keeper._retry_at = 0.0
        keeper.look()
        line = join(keeper)
        assert "fresh" not in line.got[0]["start"]
        line.says.append({"kept": number})
        os.kill(keeper.pid, 9)
        end = time.monotonic() + 20
        while keeper.pid and time.monotonic() < end:
            keeper.look()
            keeper.receive()


def test_one_whose_motion_is_lost_begins_afresh_at_once(keeper: Keeper) -> None:
    line, told = join(keeper), list[tuple[int, int]]()
    keeper.on_fresh = lambda frame, sample, values: told.append((frame, sample))
    line.says.append({"lost": "no numbers"})
    keeper.receive()
    assert join(keeper).got[0]["start"]["fresh"] == [500, 700_000]
    assert told == [(500, 700_000)]


def test_a_keeper_that_was_stopped_itself_blames_nobody(keeper: Keeper) -> None:
    keeper.look()
    line = join(keeper)
    first, away = keeper.pid, time.monotonic() - 60
    keeper._heard_at = keeper._looked_at = away
    keeper.look()
    assert keeper.pid == first
    assert line.open
