"""Events: every subscriber is called in order, in the publishing thread, and one that raises costs itself only."""

import logging
import threading

import pytest

from sonorama.engine.control.events import Event, ShowEvents
from sonorama.engine.faults import Faults


def test_subscribers_are_called_in_order_in_the_thread_that_publishes() -> None:
    event, calls = Event[int](Faults()), list[tuple[str, int, int]]()
    for name in "abc":
        event.subscribe(lambda value, name=name: calls.append((name, value, threading.get_ident())), name)
    event.publish(1)
    other = threading.Thread(target=event.publish, args=(2,))
    other.start()
    other.join()
    here, there = threading.get_ident(), other.ident
    assert calls == [(name, 1, here) for name in "abc"] + [(name, 2, there) for name in "abc"]


def test_one_that_raises_is_a_fault_with_a_traceback_and_the_others_are_called(
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults, seen = Faults(), list[str]()
    event = Event[str](faults)
    event.subscribe(lambda value: seen.append(f"before {value}"), "first")
    event.subscribe(lambda value: {}[value], "broken part")
    event.subscribe(lambda value: seen.append(f"after {value}"), "last")
    with caplog.at_level(logging.ERROR):
        event.publish("x")
    assert seen == ["before x", "after x"]
    assert faults.recent() == ["The broken part failed: KeyError: 'x'"]
    assert caplog.records[0].exc_info is not None


def test_none_is_lost_when_threads_subscribe_at_once_and_while_it_is_published() -> None:
    event, calls = Event[None](Faults()), list[int]()
    stop = threading.Event()

    def publish() -> None:
        while not stop.is_set():
            event.publish(None)

    def subscribe(first: int) -> None:
        for number in range(first, first + 100):
            event.subscribe(lambda _, number=number: calls.append(number), "test")

    publisher = threading.Thread(target=publish)
    threads = [threading.Thread(target=subscribe, args=(100 * n,)) for n in range(4)]
    for thread in (publisher, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    publisher.join()
    calls.clear()
    event.publish(None)
    assert sorted(calls) == list(range(400))


def test_a_subscriber_may_publish_another_event() -> None:
    events, seen = ShowEvents(Faults()), list[float]()
    events.measured.subscribe(lambda values: seen.append(float(values["/health"])), "test")
    events.changed.subscribe(lambda changes: events.measured.publish({"/health": len(changes)}), "test")
    events.changed.publish([])
    assert seen == [0.0]
