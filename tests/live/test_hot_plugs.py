"""A display and a microphone are pulled and plugged in again many times; the picture goes on.

By hand: pytest -m soak -s tests/live/test_hot_plugs.py; $SONORAMA_HOT_PLUGS for another number than 200.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from sonorama.engine.ipc.messages import Status

from ..plugin.pulse import Pulse
from ..plugin.test_window import Screens, server
from .stage import LiveShow, Watcher

__all__ = ["server"]
pytestmark = pytest.mark.soak
Start = Callable[..., LiveShow]
PLUGS = int(os.environ.get("SONORAMA_HOT_PLUGS", "200"))
RIGHT = ["--setmonitor", "right", "320/85x400/106+640+0", "none"]
MICROPHONE = ["load-module", "module-sine-source", "source_name=booth", "frequency=220"]


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[Pulse]:
    made = Pulse(tmp_path)
    made.start()
    assert made.pactl(*MICROPHONE).returncode == 0
    yield made
    made.kill()


@pytest.mark.timeout(7200)
def test_every_plug_and_no_picture_lost(start: Start, server: Screens, pulse: Pulse) -> None:
    env = {name: pulse.env[name] for name in ("PULSE_SERVER", "XDG_RUNTIME_DIR")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", env["XDG_RUNTIME_DIR"])  # where the show puts what it shares
        show = start(
            "--source", "device:booth", "--sink", "window:1", "--no-panel",
            env=env | {"DISPLAY": server.name},
        )  # fmt: skip
        renderer = show.playing()
        show.wait(lambda: server.shot(1).any(), "there is no window")
        with Watcher(show.name) as watcher:
            for plug in range(PLUGS):
                _pull_and_plug(show, server, pulse, loud=plug % 10 == 0)
            watcher.check_gaps()
        counts = [one.count for one in watcher.seen]
        passed = watcher.seen[-1].at - watcher.seen[0].at
        seen = len(counts) / (counts[-1] - counts[0] + 1)
        longest = max(b.at - a.at for a, b in pairwise(watcher.seen))
        rate = (counts[-1] - counts[0]) / passed
        print(f"{PLUGS} plugs in {passed:.0f} s: {rate:.2f} pictures a second, {seen:.4f} of them seen here,")
        print(f"longest time between two {1000 * longest:.0f} ms; {show.row}")
        assert show.renderer() == renderer
        assert counts[-1] - counts[0] >= 30 * passed - 2, "pictures are missing in the map"
        assert longest < 0.15 + 3 * watcher.overslept, "the map stood still"
        assert show.stop() == 143


def _pull_and_plug(show: LiveShow, server: Screens, pulse: Pulse, *, loud: bool) -> None:
    """Both at once; `loud`: wait until the show hears again."""
    xrandr = ["xrandr", "--display", server.name]
    subprocess.run([*xrandr, "--delmonitor", "right"], check=True, capture_output=True)
    assert pulse.pactl("unload-module", "module-sine-source").returncode == 0
    show.wait(lambda: not server.shot(1).any(), "the window stays")
    assert pulse.pactl(*MICROPHONE).returncode == 0
    subprocess.run([*xrandr, *RIGHT], check=True, capture_output=True)
    show.wait(lambda: server.shot(1).any(), "the window does not come back")
    if loud:
        panel = show.panel()

        def hears() -> bool:
            told = panel.receive(0.5)
            return isinstance(told, Status) and told.db > -60.0

        show.wait(hears, "nothing is heard again")
        panel.close()
