"""Counterbalanced orders: balanced Latin squares."""

from __future__ import annotations

from collections.abc import Sequence


def balanced_square(n: int) -> list[list[int]]:
    """Orders of the items 0 to n - 1 that balance position and succession (E. J. Williams, 1949).

    Returns:
        n rows for an even n (and for 1), 2 n rows for an odd one. Over all rows, every item is equally often at every
        position, and follows every other item equally often.

    Raises:
        ValueError: no item.

    """
    if n < 1:
        raise ValueError("an order needs at least one item")
    zigzag = [-(k // 2) % n if k % 2 == 0 else (k + 1) // 2 for k in range(n)]  # 0, 1, n - 1, 2, n - 2 ...
    rows = [[(item + row) % n for item in zigzag] for row in range(n)]
    return rows if n % 2 == 0 or n == 1 else rows + [row[::-1] for row in rows]


def sound_order(orders: Sequence[Sequence[int]], participant: int) -> Sequence[int]:
    """Sounds in the order in which a participant (1, 2 ...) hears them: one row each, then from the first again."""
    return orders[(participant - 1) % len(orders)]


def model_order(orders: Sequence[Sequence[int]], participant: int, sound: int) -> Sequence[int]:
    """Models in the order in which a participant (1, 2 ...) sees them with a sound (0, 1 ...).

    The row moves on with both, so that for each sound as many consecutive participants as there are rows see all rows.
    """
    return orders[(participant - 1 + sound) % len(orders)]
