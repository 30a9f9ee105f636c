"""Whole numbers of users."""

import pytest

from sonorama.engine.whole_numbers import whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7), ("0", None), ("1", 1), ("512", 512), ("513", None), ("0" * 5000 + "12", 12), ("9" * 5000, None),
        ("", None), ("-3", None), ("+3", None), (" 3", None), ("1_0", None), ("1.0", None),
        ("\u0663", None), ("\u00b2", None),
    ],
)  # fmt: skip
def test_within_bounds(text: str, number: int | None) -> None:
    assert whole_number(text, 1, 512) == number
