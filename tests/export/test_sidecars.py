"""Sidecars of films that were made by older versions, and of the same film made again."""

import json
from typing import Any

import pytest

from sonorama.export.sidecar import AS_LIVE, differences

FACTS: dict[str, Any] = {"made_by": "sonorama", "command": "a", "sound": "b.wav", "seed": 7, "licence": "CC0"}


@pytest.mark.parametrize(
    ("then", "now", "same"),
    [
        ({}, {"look_ahead": AS_LIVE}, True),  # before there was any look-ahead, films followed the sound as shows do
        ({}, {"look_ahead": "auto"}, False),
        ({"look_ahead": None}, {"look_ahead": "auto"}, True),
        ({"look_ahead": None, "take": {}}, {"look_ahead": AS_LIVE, "take": {}}, True),
        ({"look_ahead": 0.1}, {"look_ahead": 0.1}, True),
        ({"look_ahead": 0.1}, {"look_ahead": "auto"}, False),
    ],
)
def test_the_look_ahead_of_an_older_film(then: dict[str, Any], now: dict[str, Any], same: bool) -> None:
    old = json.loads(json.dumps(FACTS | then))
    assert differences(old, FACTS | now) == ([] if same else ["look_ahead"])


def test_command_path_and_licence_make_no_other_film() -> None:
    now = FACTS | {"command": "x", "sound": "y.wav", "licence": "unknown"}
    assert differences(FACTS, now) == []
    assert differences(FACTS, now | {"seed": 8}) == ["seed"]
