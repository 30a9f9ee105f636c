"""A real NDI receiver gets the pictures: cyndilib sends, ndi-python receives, in a network of their own."""

import os
import subprocess
import sys
from pathlib import Path

from ..speed import slowness

PACKAGES = Path(__file__).parents[2] / "build" / "hosts"
"""Where `make test` installs what is never a dependency."""
NETWORK = "ip link set lo up; ip link set lo multicast on; ip route add 224.0.0.0/4 dev lo; exec "

RECEIVER = """
import time
import NDIlib as ndi
import numpy as np
from tests.plugin.sinks import info
from tests.speed import slowness
from tests.plugin.test_stream import COLOURS, quarters
from sonorama.plugin.sinks.ndi import NdiSink, TERMS

sink, tick = NdiSink("demo"), 0
sink.open(info("show", 320, 240))

def send(count, width=320, height=240):
    global tick
    for _ in range(count):
        sink.send(quarters(tick, width, height))
        tick += 1
        time.sleep(0.03)

def until(condition):
    end = time.monotonic() + 60 * slowness()
    while not condition():
        assert time.monotonic() < end

assert ndi.initialize()
wanted = ndi.FindCreate()
wanted.extra_ips = "127.0.0.1"
finder = ndi.find_create_v2(wanted)
until(lambda: send(5) or ndi.find_get_current_sources(finder))
source = ndi.find_get_current_sources(finder)[0]
assert source.ndi_name.endswith("(demo)"), source.ndi_name
create = ndi.RecvCreateV3()
create.color_format = ndi.RECV_COLOR_FORMAT_RGBX_RGBA

def connect():
    made = ndi.recv_create_v3(create)
    ndi.recv_connect(made, ndi.find_get_current_sources(finder)[0])
    return made

receiver = connect()

def received():
    kind, video, _, _ = ndi.recv_capture_v2(receiver, 10)
    if kind != ndi.FRAME_TYPE_VIDEO:
        return None
    pixels, rate = np.copy(video.data), (video.frame_rate_N, video.frame_rate_D)
    ndi.recv_free_video_v2(receiver, video)
    return pixels, rate

def shows(width, height):
    send(1, width, height)
    found = received()
    if found is None or found[0].shape != (height, width, 4):
        return False
    pixels, rate = found
    seen = pixels[height // 4 :: height // 2, width // 4 :: width // 2, :3]
    assert rate == (30, 1) and np.abs(seen.astype(int) - COLOURS).max() < 24, seen
    return True

until(lambda: shows(320, 240))
until(lambda: "source demo, 1 receiver" in sink.about or send(1))
assert sink.about.endswith(TERMS)
sink.open(info("show", 160, 96))  # a new source of the same name, which receivers have to find
for _ in range(20):
    found = [shows(160, 96) for _ in range(40)]
    if any(found):
        break
    receiver = connect()
assert any(found)
sink.close()
print("received")
"""


def test_a_receiver_gets_the_pictures() -> None:
    assert (PACKAGES / "cyndilib").is_dir(), "make test installs it"
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{PACKAGES}:{root}"}
    command = ["unshare", "-n", "bash", "-c", f'{NETWORK} "$0" -c "$1"', sys.executable, RECEIVER]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=root, timeout=300 * slowness())
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["received"]), done.stderr[-2000:]
