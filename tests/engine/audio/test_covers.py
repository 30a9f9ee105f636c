"""A cover of 40 MB costs no memory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PEAK = """
import sys
from pathlib import Path
from sonorama.engine.audio.audio_file import open_sound
samples = [open_sound(Path(name)).samples for name in sys.argv[1:]]
print(*samples, Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def read(*paths: Path) -> list[int]:
    run = [sys.executable, "-c", PEAK, *map(str, paths)]
    return [int(word) for word in subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()]


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.parametrize("name", [pytest.param("a.mp3", marks=pytest.mark.soak), "a.m4a", "a.flac"])
def test_memory(tmp_path: Path, name: str) -> None:
    cover = tmp_path / "cover.png"
    size = 2200 if name == "a.flac" else 3700  # FLAC's pictures end at 16 MiB
    noise = np.random.default_rng(1).bytes(size * size * 3)
    make = ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size}x{size}", "-i", "-"]
    subprocess.run([*make, "-compression_level", "0", str(cover)], input=noise, check=True)
    sine = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=d=2"]
    plain, covered = tmp_path / f"plain{name[1:]}", tmp_path / name
    subprocess.run([*sine, str(plain)], check=True)
    join = [
        "-i",
        str(plain),
        "-i",
        str(cover),
        "-map",
        "0",
        "-map",
        "1",
        "-c",
        "copy",
        "-disposition:v",
        "attached_pic",
    ]
    subprocess.run(["ffmpeg", "-v", "error", *join, str(covered)], check=True)
    assert covered.stat().st_size > 14e6
    (samples, without), (same, peak) = read(plain), read(covered)
    assert samples == same
    assert peak - without < 8000  # KiB
