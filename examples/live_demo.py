"""`make live-demo`: the example sounds play into a show, OSC plays the show, and figures say how it went.

For LIVE_SECONDS (60) the sound of `make demo` is heard: weather, fire, water and music. The panel opens on the display
there is, or on one that nobody sees. Leaves build/live-demo/: the recording, frames of it, a picture of the panel, the
statistics.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
from demo import minute, sheet, write_flac
from pythonosc.udp_client import SimpleUDPClient

from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.channel import read_session
from sonorama.engine.show.command import has_display

OUT = Path("build/live-demo")
FILM, STATS, PANEL = OUT / "show.mp4", OUT / "stats.jsonl", OUT / "panel.png"
SONORAMA = Path(sys.executable).with_name("sonorama")
NAME = f"live-demo-{os.getpid()}"
START_S = 120.0
"""The first start of a world makes its graphs."""
Act = tuple[float, str, float | int | str]
ACTS: tuple[Act, ...] = (  # part of the show at which a message is sent, address, value
    (0.05, "/scene/store", 1),
    (0.10, "/look/seed", 54),
    (0.20, "/motion/coarse/amount", 1.6),
    (0.30, "/scene/store", 2),
    (0.35, "/scene/morph", 2.0),
    (0.40, "/scene/recall", 1),
    (0.50, "/out/blackout", 1),
    (0.53, "/out/blackout", 0),
    (0.60, "/scene/recall", 2),
    (0.75, "/look/drift", 0.3),
    (0.85, "/look/truncation", 0.9),
)


@contextlib.contextmanager
def display() -> Iterator[None]:
    """The display there is, or a virtual one meanwhile."""
    if has_display():
        yield
        return
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1440x900x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            os.environ["DISPLAY"] = f":{int(pipe.readline())}"
        sys.stdout.write(f"No display here: the panel opens on a virtual one, {os.environ['DISPLAY']}\n")
        yield
    finally:
        server.terminate()
        server.wait()


def rows() -> list[dict[str, object]]:
    """What the show said about itself so far, once a second."""
    lines = STATS.read_text().splitlines(keepends=True) if STATS.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def osc_port(show: subprocess.Popen[bytes]) -> int:
    """Where the show hears OSC, once it plays; 0 if it never does."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and show.poll() is None:
        if any(row["frame"] for row in rows()):
            with contextlib.suppress(SonoramaError):
                return int(read_session(NAME)["osc_port"])
        time.sleep(0.1)
    return 0


def play(seconds: float) -> int:
    """The show, and what is sent to it; its exit code, 0 if it ended because it was asked to."""
    sound = OUT / "minute.flac"
    write_flac(minute(), sound)
    files = ["--record", FILM, "--stats", STATS, "--size", "640x360"]  # a small computer records it, too
    show = subprocess.Popen([SONORAMA, "live", "--source", f"file:{sound}", "--name", NAME, *files])
    try:
        port = osc_port(show)
        if port:
            send(SimpleUDPClient("127.0.0.1", port), seconds)
    finally:
        show.terminate()
        code = show.wait(60)
    return 0 if port and code == 128 + signal.SIGTERM else code or 1


def send(client: SimpleUDPClient, seconds: float) -> None:
    """Play the show by OSC; a picture of the panel is taken towards the end."""
    begun = time.monotonic()
    for part, address, value in ACTS:
        time.sleep(max(0.0, begun + part * seconds - time.monotonic()))
        client.send_message(f"/sonorama{address}", value)
        sys.stdout.write(f"{part * seconds:5.1f} s  OSC /sonorama{address} {value}\n")
    shot = ["--screenshot", PANEL, "--overwrite", "--after", str(0.12 * seconds)]
    panel = subprocess.Popen([SONORAMA, "panel", NAME, *shot])
    time.sleep(max(0.0, begun + seconds - time.monotonic()))
    panel.wait(60)


def report() -> int:
    """Say how it went; 0 if it played."""
    played = [row for row in rows() if row["frame"]]
    fps = [float(str(row["fps"])) for row in played]
    delays = [float(str(row["delay_ms"])) for row in played]
    if not FILM.exists():
        sys.stderr.write(f"{FILM} was not recorded: {played[-1]['faults']}\n")
        return 1
    with av.open(str(FILM)) as box:
        frames = sum(1 for _ in box.decode(video=0))
        length = (box.duration or 0) / av.time_base
    late, last = int(str(played[-1]["late"])), int(str(played[-1]["frame"]))
    sheet(FILM, OUT / "frames.png")
    sys.stdout.write(
        f"fps       median {statistics.median(fps):.1f}, lowest {min(fps[2:] or fps):.1f}\n"
        f"late      {late} of {last} frames ({100 * late / max(1, last):.1f} %)\n"
        f"delay     {statistics.median(delays):.0f} ms from sound to picture (median)\n"
        f"restarts  {played[-1]['restarts']} of the renderer\n"
        f"recording {FILM.resolve()} ({frames} frames, {length:.1f} s)\n"
        f"frames    {(OUT / 'frames.png').resolve()}\n"
        f"panel     {PANEL.resolve()}\n"
    )
    pictures = statistics.median(fps) > 1 and frames > length  # more than one a second, or nobody would say it plays
    return 0 if pictures and PANEL.exists() else 1


def main() -> int:
    """Play, then report."""
    said = os.environ.get("LIVE_SECONDS", "60")
    try:
        seconds = float(said)
    except ValueError:
        seconds = 0.0
    if not 5 <= seconds < math.inf:
        sys.stderr.write(f"LIVE_SECONDS={said} cannot be\nGive 5 or more.\n")
        return 2
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    os.environ["SONORAMA_LOOKS"] = str(OUT / "looks")  # the scenes it stores are nobody else's
    with display():
        code = play(seconds)
    if code or not any(row["frame"] for row in rows()):
        sys.stderr.write(f"The show did not play (exit code {code})\n")
        return code or 1
    return report()


if __name__ == "__main__":
    sys.exit(main())
