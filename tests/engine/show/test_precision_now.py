"""What bridges are told of the precision of the pictures: exact or fast."""

import pytest

from sonorama.engine.ipc.messages import Status
from sonorama.engine.show.status import PRECISION_NOW, osc_values


@pytest.mark.parametrize(
    ("precision", "now"),
    [
        ("exact", "exact"),
        ("exact, half rate", "exact"),
        ("exact, early exit", "fast"),
        ("bf16", "fast"),
        ("bf16, early exit, half rate", "fast"),
    ],
)
def test_only_pictures_as_in_films_are_exact(precision: str, now: str) -> None:
    assert osc_values(Status(precision=precision), silent=False)[PRECISION_NOW] == now


def test_nothing_is_said_while_nothing_is_painted() -> None:
    assert PRECISION_NOW not in osc_values(Status(), silent=True)
