"""Which of its classes the pictures of an imported world were found to show, in words for people."""

from __future__ import annotations

from .card import Card

SEEN = 0.2
"""Least correlation of a class's direction and the class (`measures.directions`) at which it counts as seen."""


def unseen(card: Card) -> tuple[str, ...]:
    """The classes that the joint space does not see in the pictures, so that their directions are by chance.

    Of imported worlds only; the others were trained for their classes.
    """
    found = card.measures.get("directions")
    if "source" not in card.measures or not isinstance(found, dict):
        return ()
    seen = {name for name, how in found.items() if isinstance(how, int | float) and how >= SEEN}
    return tuple(name for name in card.classes if name in found and name not in seen)


def advice(card: Card) -> str:
    """One line that points to `sonorama teach`; empty where the pictures are known, or looks were taught."""
    blind = unseen(card)
    if not blind or card.measures.get("taught"):
        return ""
    names = ", ".join(name.replace("_", " ") for name in blind)
    what = "any of its classes" if len(blind) == len(card.classes) else names
    return (
        f"{card.name} was not found to show {what}: name looks by example, "
        f"sonorama teach {card.name} --sound a.wav --seed 12"
    )
