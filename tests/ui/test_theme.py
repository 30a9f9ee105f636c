"""The colours meet WCAG AA."""

import re

import pytest

from sonorama.ui import theme


@pytest.mark.parametrize(("ink", "ground"), theme.TEXT_PAIRS)
def test_text_is_legible(ink: str, ground: str) -> None:
    assert theme.contrast(ink, ground) >= 4.5


@pytest.mark.parametrize(("edge", "ground"), theme.EDGE_PAIRS)
def test_edges_are_seen(edge: str, ground: str) -> None:
    assert theme.contrast(edge, ground) >= 3.0


def test_contrast_is_wcags() -> None:
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the known near miss


def test_the_sheet_uses_no_other_colour() -> None:
    known = {value for value in vars(theme).values() if isinstance(value, str) and value.startswith("#")}
    assert set(re.findall(r"#[0-9a-f]{6}\b", theme.style_sheet())) <= known
