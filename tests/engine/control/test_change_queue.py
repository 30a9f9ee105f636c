"""Values coalesce, the last one wins; events wait in order, up to a bound."""

import threading

import pytest

from sonorama.engine.control.change_queue import ChangeQueue
from sonorama.engine.control.parameters import Change, Parameter

SIZE = Parameter("/a/size", 1.0, "A number.", 0.0, 9.0)
WORD = Parameter("/a/word", "", "A text.")
HIT = Parameter("/a/hit", False, "A trigger.", event=True)
GO = Parameter("/a/go", 0, "A slot.", 0, 8, event=True)
TABLE = {param.path: param for param in (SIZE, WORD, HIT, GO)}


def change(path: str, value: float | str) -> Change:
    return Change(path, value, "test")


def rows(changes: list[Change]) -> list[tuple[str, object]]:
    return [(one.path, one.value) for one in changes]


def test_the_last_value_wins_and_all_events_follow_in_order() -> None:
    queue = ChangeQueue(TABLE)
    queue.add([change("/a/hit", True), change("/a/size", 2.0), change("/a/word", "x"), change("/a/go", 3)])
    queue.add([change("/a/size", 5.0), change("/a/hit", True)])
    assert rows(queue.take()) == [("/a/size", 5.0), ("/a/word", "x"), ("/a/hit", True), ("/a/go", 3), ("/a/hit", True)]
    assert queue.take() == []


def test_events_of_no_value_ask_for_nothing() -> None:
    queue = ChangeQueue(TABLE)
    queue.add([change("/a/hit", False), change("/a/go", 0), change("/a/size", 0.0)])
    assert rows(queue.take()) == [("/a/size", 0.0)]


@pytest.mark.parametrize(("bound", "left"), [(ChangeQueue.EVENTS, 64), (3, 3), (None, 100)])
def test_events_wait_up_to_a_bound(bound: int | None, left: int) -> None:
    queue = ChangeQueue(TABLE, bound)
    queue.add(change("/a/go", 1 + number % 8) for number in range(100))
    assert [one.value for one in queue.take()] == [1 + number % 8 for number in range(left)]


def test_a_frame_takes_one_event_of_each_address() -> None:
    queue = ChangeQueue(TABLE)
    queue.add(
        [change("/a/go", 1), change("/a/go", 2), change("/a/hit", True), change("/a/size", 4.0), change("/a/go", 3)]
    )
    assert rows(queue.take_frame()) == [("/a/size", 4.0), ("/a/go", 1), ("/a/hit", True)]
    assert [one.value for one in queue.events] == [2, 3]
    queue.add([change("/a/go", 4)])
    assert [rows(queue.take_frame()) for _ in range(4)] == [[("/a/go", 2)], [("/a/go", 3)], [("/a/go", 4)], []]


def test_settling_leaves_events_and_what_comes_later() -> None:
    queue = ChangeQueue(TABLE)
    queue.add([change("/a/size", 2.0), change("/a/word", "rain"), change("/a/go", 1)])
    assert queue.settle(later=("/a/word",)) == {"/a/size": 2.0}
    assert rows(queue.take()) == [("/a/word", "rain"), ("/a/go", 1)]


def test_an_unknown_address_is_an_error() -> None:
    with pytest.raises(KeyError):
        ChangeQueue(TABLE).add([change("/a/nothing", 1)])


def test_many_threads_add_while_one_takes() -> None:
    queue, taken = ChangeQueue(TABLE, None), list[Change]()

    def post(first: int) -> None:
        for number in range(first, 2000, 4):
            queue.add([Change("/a/go", 1 + number % 8, str(first)), change("/a/size", float(number))])

    threads = [threading.Thread(target=post, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        taken += queue.take_frame()
    while more := queue.take_frame():
        taken += more
    for first in range(4):  # nothing is lost, and the events of each thread stay in order
        mine = [one.value for one in taken if one.source == str(first)]
        assert mine == [1 + number % 8 for number in range(first, 2000, 4)]
