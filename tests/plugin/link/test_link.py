"""Ableton Link with another program: an independent library in another process, on a network of their own."""

import statistics

import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.plugins.registry import BRIDGES, make
from sonorama.plugin.bridges.link.bridge import LinkBridge, probe

from .session import in_network


def test_a_session_is_followed() -> None:
    """Tempo, place in the bar, start and stop, and a program that leaves. Though the show was there first, it never
    forces a tempo on others.
    """
    found = in_network(10)
    assert (found["tempo"], found["next"]) == (pytest.approx(133.0, abs=0.01), pytest.approx(150.0, abs=0.01))
    assert found["alone"] == ["No other program is in the Ableton Link session"]
    for name in ("apart_ms", "apart_after_ms"):
        assert abs(statistics.median(found[name])) < 10, found  # tests/benchmarks/link.py measures it
    assert found["faults"] == [] and found["posts"] < 30, found


def test_arguments() -> None:
    assert isinstance(make(BRIDGES, "link", ""), LinkBridge) and LinkBridge("quantum=3")._quantum == 3
    assert "Link" in str(probe())
    for argument, message in (("0", "'0' is no quantum"), ("four", "'four' is no quantum"), ("q=1", "knows no q")):
        with pytest.raises(SonoramaError, match=message):
            LinkBridge(argument)
