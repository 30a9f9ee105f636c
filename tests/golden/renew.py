"""Makes hashes.json and pictures/ anew: `python tests/golden/renew.py [--add | --take]`. Only for changes on purpose.

--add keeps the records of other machines and all pictures, and refuses pictures that do not look like them.
--take first performs the take anew, in a real show of `sonorama live`.
"""

import argparse
import json
import socket
import subprocess
import tempfile
import time
import wave
import zipfile
from pathlib import Path
from typing import Any

import av
import golden
import numpy as np
from pythonosc.udp_client import SimpleUDPClient

SECONDS = 2.8
START = {
    "/scene/morph": 0.4, "/out/flash_guard": 1, "/look/seed": 4, "/sound/onset": 0.7,
    "/moves/1/source": "onset", "/moves/1/target": "/motion/fine/amount", "/moves/1/depth": 0.5, "/moves/1/fall": 0.2,
    "/moves/2/source": "bass", "/moves/2/target": "/motion/coarse/amount", "/moves/2/depth": 0.4,
    "/moves/3/source": "lfo", "/moves/3/target": "/look/truncation", "/moves/3/depth": 0.3, "/moves/3/rate": 1.3,
    "/moves/3/shape": "triangle",
    "/moves/4/source": "steps", "/moves/4/target": "/look/fine/mix", "/moves/4/depth": 0.6, "/moves/4/sync": "1 beat",
    "/moves/4/steps": "1 0 0.3",
    "/moves/5/source": "lfo", "/moves/5/target": "/moves/3/depth", "/moves/5/shape": "random", "/moves/5/depth": -0.4,
    "/moves/5/rate": 3.0,
}  # fmt: skip
PLAYED: list[tuple[float, str, Any]] = [
    (0.3, "/scene/store", 1), (0.4, "/look/seed", 9), (0.5, "/motion/coarse/mute", 1), (0.7, "/sound/gain", 9.0),
    (0.8, "/motion/mid/amount", 1.7), (0.9, "/motion/fine/solo", 1), (1.0, "/motion/coarse/mute", 0),
    (1.1, "/sound/tap", 1), (1.2, "/motion/fine/solo", 0), (1.3, "/motion/mid/hold", 1), (1.4, "/look/drift", 0.8),
    (1.5, "/out/master", 0.6), (1.6, "/sound/tap", 1), (1.7, "/motion/mid/hold", 0), (1.8, "/scene/recall", 1),
    (2.0, "/out/flip", "horizontal"), (2.1, "/out/freeze", 1), (2.2, "/out/freeze", 0), (2.3, "/sound/resync", 1),
    (2.4, "/out/master", 1.0), (2.5, "/look/coarse/mix", 0.7), (2.6, "/out/blackout", 1), (2.7, "/out/blackout", 0),
]  # fmt: skip
"""Seconds, address, value; sent by OSC."""


def coarse_sound(path: Path) -> None:
    """Thunder in mono with 7 bits, so that the take packs small."""
    with av.open(str(golden.EXAMPLES / "thunder-2.ogg")) as container:
        resampler = av.AudioResampler("flt", "mono", 44_100)
        blocks = [b.to_ndarray() for frame in container.decode(audio=0) for b in resampler.resample(frame)]
    sound = np.concatenate(blocks, axis=1)[0]
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        file.writeframes((np.rint(sound / np.abs(sound).max() * 48) * 512).astype("<i2").tobytes())


def free_port() -> int:
    """A UDP port that nobody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def perform() -> None:
    """A real show writes the take; the zip keeps it."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, port = Path(temporary), free_port()
        take = folder / "performance.take"
        coarse_sound(folder / "thunder.wav")
        command = [golden.program(), "live", "--source", f"file:{folder / 'thunder.wav'}", "--world", "shore"]
        command += ["--name", f"golden-{port}", "--osc-port", str(port), "--osc-out", "0", "--no-panel"]
        command += ["--fps", "24", "--size", "320x240", "--device", "cpu", "--take", str(take)]
        command += ["--duration", str(SECONDS)]
        values = golden.DEFAULTS | START
        given = [word for path, value in values.items() for word in ("--set", f"{path}={value}")]
        with subprocess.Popen([*command, *given]) as show:
            events = take / "events.jsonl"
            while not events.exists() or not events.stat().st_size:  # the first one says that a renderer plays
                assert show.poll() is None, "the show ended"
                time.sleep(0.01)
            begun, client = time.monotonic(), SimpleUDPClient("127.0.0.1", port)
            for at, path, value in PLAYED:
                time.sleep(max(0.0, begun + at - time.monotonic()))
                client.send_message(f"/sonorama{path}", value)
        assert show.returncode == 0
        with zipfile.ZipFile(golden.TAKE, "w", zipfile.ZIP_LZMA) as packed:
            for path in sorted(take.iterdir()):
                packed.write(path, f"{take.name}/{path.name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--add", action="store_true")
    parser.add_argument("--take", action="store_true")
    asked = parser.parse_args()
    if asked.take:
        perform()
    record: dict[str, Any] = {"machine": golden.machine(), "frames": {}}
    for name in golden.RENDERS:
        with tempfile.TemporaryDirectory() as folder:
            film = golden.render(name, Path(folder))
        record["frames"][name] = film.hashes
        if asked.add:
            off = golden.difference(name, film.small)
            assert off <= golden.TOLERANCE, f"{name} is {off} of 255 off: these pictures are other ones"
        else:
            golden.write_reference(name, film.small)
        print(f"{name}: {len(film.hashes)} frames")
    others = json.loads(golden.HASHES.read_text()) if asked.add else []
    records = [one for one in others if one["machine"] != record["machine"]]
    golden.HASHES.write_text(json.dumps([*records, record], indent=1) + "\n")


if __name__ == "__main__":
    main()
