"""Lengths of time as users type them."""

import math

import pytest

from sonorama.engine.lengths import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("1:30", 90.0),
        ("0:01:30.5", 90.5),
        ("12:59:00", 46_740.0),
        ("100:00", 6000.0),
        ("1e3", 1000.0),
        (" 2.5 ", 2.5),
        ("-1", -1.0),
    ],
)
def test_a_length_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "x", "1:", ":30", "1:2:3:4", "1:-2", "1:30:12:05", "\u0661:\u0663\u0660", "0:0:" + "9" * 5000]
)
def test_other_texts_are_no_length(text: str) -> None:
    assert math.isnan(seconds_of(text))
