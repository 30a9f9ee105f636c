"""On a real X server: keys for safety work on layouts that do not type their letters, and nothing else acts."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .display import x_server

ROOT = Path(__file__).parents[2]
TYPED = {"gr": "\u03c3", "ru": "\u044b", "fr": "s", "dvorak": "o"}
"""What the key S types: proof that the layout is in use."""
DONE = {
    "B": "/out/blackout",
    "Z": "/out/freeze",
    "R": "/out/record",
    "T": "/sound/tap",
    "1": "/scene/recall",
    "Shift+3": "/scene/store",
}


@pytest.mark.skipif(shutil.which("Xvfb") is None or shutil.which("setxkbmap") is None, reason="needs Xvfb, setxkbmap")
def test_keys_act_by_place_on_layouts_that_do_not_have_their_letters(tmp_path: Path) -> None:
    with x_server() as display:
        done = subprocess.run(
            [sys.executable, "-m", "tests.ui.typing_on_xcb", *TYPED],
            cwd=ROOT,
            env=os.environ | {"DISPLAY": display, "SONORAMA_LOOKS": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert {layout: typed for layout, (typed, _) in told.items()} == TYPED
    for layout, (_, keys) in told.items():
        assert keys == {name: [path] for name, path in DONE.items()}, layout
