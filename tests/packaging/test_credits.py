"""The credits that lie beside the shipped worlds are those of their cards, and their licences are there in full."""

from pathlib import Path

import pytest

from sonorama.engine.cli.commands import credits_of
from sonorama.engine.model.world_file import INSTALLED, list_worlds

SHIPPED = sorted(INSTALLED.glob("*.safetensors"))


def test_credits_are_those_of_the_cards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`sonorama worlds --credits > engine/worlds/CREDITS.md` writes them again, where no other world is installed."""
    monkeypatch.setenv("SONORAMA_WORLDS", str(INSTALLED))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    cards = list_worlds()
    assert len(cards) == len(SHIPPED) > 0
    assert {card.licence for card in cards} <= {"CC BY 4.0", "CC BY-SA 4.0"}
    assert (INSTALLED / "CREDITS.md").read_text() == "\n".join(credits_of(card) for card in cards)


@pytest.mark.parametrize("licence", ["CC-BY-4.0", "CC-BY-SA-4.0"])
def test_licences_are_there_in_full(licence: str) -> None:
    text = (INSTALLED / f"{licence}.txt").read_text()
    assert len(text.split()) > 2_400
    assert "Section 8 -- Interpretation" in text
    assert text.rstrip().endswith("Creative Commons may be contacted at creativecommons.org.")
