"""A long sound through the world that ships: memory does not grow with its length.

By hand: pytest -m soak -s tests/world; $SONORAMA_SOAK_MINUTES for less than an hour.
"""

import json
import os
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest

MINUTES = float(os.environ.get("SONORAMA_SOAK_MINUTES", "60"))
BLOCK = 44_100


def noise(path: Path, minutes: float) -> None:
    """Bursts of noise, a minute at a time, so that the test itself stays small."""
    rng = np.random.default_rng(0)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, BLOCK, 0, "NONE", ""))
        for second in range(round(minutes * 60)):
            loud = 300 if second % 7 < 3 else 6000
            file.writeframes((rng.standard_normal(BLOCK) * loud).clip(-32768, 32767).astype(np.int16).tobytes())


def resident_mb(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_does_not_grow_with_the_sound(tmp_path: Path) -> None:
    noise(tmp_path / "long.wav", MINUTES)
    program = Path(sys.executable).with_name("sonorama")
    options = ["--world", "shore", "--fps", "4", "--size", "64x64", "--device", "cpu", "--json"]
    command = [str(program), "render", str(tmp_path / "long.wav"), "-o", str(tmp_path / "long.mp4"), *options]
    begun, seen = time.monotonic(), []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            seen.append((time.monotonic() - begun, resident_mb(process.pid)))
            time.sleep(0.5)
        assert process.stdout is not None
        report = json.loads(process.stdout.read())
    took, (times, memory) = time.monotonic() - begun, np.array(seen[:-1]).T
    steady = times > took / 4
    slope = np.polyfit(times[steady], memory[steady], 1)[0] * took / MINUTES
    print(f"{MINUTES:g} min of sound in {took:.0f} s; peak {memory.max():.0f} MB; {slope:+.2f} MB a minute of sound")
    assert process.returncode == 0
    assert report["frames"] == round(MINUTES * 60 * 4)
    assert memory.max() < 2000
    assert slope * MINUTES < 200
