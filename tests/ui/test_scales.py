"""The panel is painted sharply at the scales that displays have, and is never larger than they are."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PyQt6.QtGui import QImage

from sonorama.ui import theme

from ..ending import die_with_parent
from .shoot import DISPLAYS

BUILD = Path(__file__).parents[2] / "build" / "ui"


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.5])
def test_screenshots_at_each_scale(scale: float) -> None:
    """Written for people to look at; here: their sizes, and that the keys for safety are in them."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.ui.shoot", str(BUILD)],
        cwd=Path(__file__).parents[2], env=os.environ | {"QT_SCALE_FACTOR": f"{scale:g}"}, capture_output=True,
        text=True, timeout=300, preexec_fn=die_with_parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shots = [json.loads(line) for line in done.stdout.splitlines()]
    assert [tuple(shot["display"]) for shot in shots] == [*DISPLAYS]
    for shot in shots:
        assert shot["scale"] == scale
        picture = QImage(shot["file"])
        width, height = picture.width(), picture.height()
        assert all(size <= most for size, most in zip((width, height), shot["display"], strict=True)), shot
        colours = {picture.pixelColor(x, y).name() for x in range(0, width, 2) for y in range(0, height, 2)}
        assert {theme.WINDOW, theme.CARD, theme.ACCENT, theme.LIVE, theme.RECORD} <= colours, shot
