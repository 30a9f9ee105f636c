"""`make live-demo`, cut short: a show is played, recorded and looked at, where there is no display."""

import os
import re
import subprocess
import sys
from pathlib import Path

from .test_readme import ROOT


def test_it_plays_and_says_how_it_went(tmp_path: Path) -> None:
    own = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    own |= {"LIVE_SECONDS": "6", "QT_QPA_PLATFORM": "xcb"}
    command = [sys.executable, str(ROOT / "examples" / "live_demo.py")]
    done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "OSC /sonorama/out/blackout 1" in done.stdout
    for figure in (r"fps +median [\d.]+", r"late +\d+ of \d+ frames", r"delay +\d+ ms"):
        assert re.search(figure, done.stdout), done.stdout
    made = tmp_path / "build" / "live-demo"
    for name in ("show.mp4", "panel.png", "frames.png", "stats.jsonl"):
        assert (made / name).stat().st_size > 1000


def test_a_length_that_is_none_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "examples" / "live_demo.py")]
    for seconds in ("1", "nan", "abc"):
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ | {"LIVE_SECONDS": seconds}, capture_output=True, text=True
        )
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 2)
    assert not any(tmp_path.iterdir())
