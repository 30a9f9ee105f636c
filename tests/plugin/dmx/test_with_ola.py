"""The Open Lighting Architecture as partner: it plays the parameters, and sees the picture's colours."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ...speed import slowness

ROOT = Path(__file__).parents[3]


def test_art_net_and_sacn_both_ways() -> None:
    assert shutil.which("olad"), "olad is missing: apt-get install ola"
    own = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-n", "--map-current-user", "--keep-caps"]
    command = [*own, sys.executable, "-m", "tests.plugin.dmx.ola"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120 * slowness())
    assert (done.returncode, done.stdout) == (0, "played\n"), done.stderr
