"""Loads off the frame loop: refusals are told, and the process for slow work does not stay for ever."""

import time
from collections.abc import Callable

import pytest

from sonorama.engine.control.parameters import Change
from sonorama.engine.faults import Faults
from sonorama.engine.renderer import world_loader
from sonorama.engine.renderer.world_loader import PROMPT, TEXT, WorldLoader


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 60.0
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_words_of_a_world_without_any_are_refused_and_the_process_goes(
    tiny_world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world_loader, "KEPT_S", 0.5)
    faults = Faults()
    made = WorldLoader(faults)
    preparation_worker = made._preparation_worker
    for _ in range(2):
        made.ask(Change(TEXT, "rain", "test"), (tiny_world, "ort"))
        until(lambda: not made.refused.empty())
        assert made.refused.get() == TEXT
        assert "has no text encoder" in faults.recent()[0]
        until(lambda: preparation_worker.pid == 0)
    made.ask(Change(TEXT, "", "test"), (tiny_world, "ort"))
    until(lambda: made.ready() == [Change(PROMPT, -1, "text")])
    assert preparation_worker.pid == 0
