"""Balanced Latin squares: positions and successions are counted, not derived."""

from collections import Counter
from itertools import pairwise

import pytest

from sonorama.export.study.order import balanced_square, model_order, sound_order


@pytest.mark.parametrize("n", range(1, 13))
def test_position_and_succession_are_balanced(n: int) -> None:
    rows = balanced_square(n)
    assert len(rows) == (n if n % 2 == 0 or n == 1 else 2 * n)
    assert all(sorted(row) == [*range(n)] for row in rows)
    positions = Counter((place, item) for row in rows for place, item in enumerate(row))
    assert len(positions) == n * n and len(set(positions.values())) == 1
    followers = Counter(pair for row in rows for pair in pairwise(row))
    assert len(followers) == n * (n - 1) and len(set(followers.values())) <= 1


def test_a_square_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        balanced_square(0)


@pytest.mark.parametrize(("sounds", "models"), [(9, 3), (4, 2), (2, 2), (1, 5)])
def test_each_sound_sees_every_row_of_models_equally_often(sounds: int, models: int) -> None:
    rows = balanced_square(models)
    for sound in range(sounds):
        seen = Counter(tuple(model_order(rows, participant, sound)) for participant in range(1, len(rows) + 1))
        assert seen == Counter(map(tuple, rows))


def test_participants_take_the_rows_in_turn() -> None:
    rows = balanced_square(3)
    assert [sound_order(rows, participant) for participant in range(1, 8)] == [*rows, rows[0]]
    first = [model_order(rows, 1, sound) for sound in range(6)]
    assert first == rows  # one participant sees all rows, too
