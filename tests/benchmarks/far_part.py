"""Time to the first picture of a part of two seconds near the end of a sound of 13 hours, as a process.

    .venv/bin/python tests/benchmarks/far_part.py [WORLD] [FORMAT ...]

Formats: wav, mp3, m4a, aac, flac; ffmpeg repeats ten minutes of noise, without encoding them again but for flac, whose
head says how long it is (5 GB). Run it on a quiet machine, after one render of the world has made its graphs.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 3
HOURS, MINUTES = 13, 10
ENCODED = {"wav": [], "mp3": ["-b:a", "64k"], "m4a": ["-b:a", "64k"], "aac": ["-b:a", "64k"], "flac": []}
COPIED = {"wav": ["-rf64", "auto"], "aac": ["-f", "adts"]}


def ffmpeg(*words: str) -> None:
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", *words], check=True)


def long_sound(folder: Path, kind: str) -> Path:
    short, long = folder / f"short.{kind}", folder / f"long.{kind}"
    noise = f"anoisesrc=d={MINUTES * 60}:c=pink:r=44100,tremolo=f=0.5:d=0.8"
    ffmpeg("-f", "lavfi", "-i", noise, "-ac", "1", *ENCODED[kind], str(short))
    again = str(HOURS * 60 // MINUTES - 1)
    codec = ["-c:a", "flac", "-compression_level", "0"] if kind == "flac" else ["-c", "copy"]
    ffmpeg("-stream_loop", again, "-i", str(short), *codec, *COPIED.get(kind, []), str(long))
    return long


def first_picture(world: str, sound: Path, out: Path) -> float:
    """Seconds from the start of the process to its first finished picture."""
    program = Path(sys.executable).with_name("sonorama")
    part = ["--start", str(HOURS * 3600 - 60), "--duration", "2", "--device", "cpu", "--world", world]
    begun = time.monotonic()
    with subprocess.Popen([str(program), "render", str(sound), "-o", f"{out}/", *part]) as process:
        while process.poll() is None and not [*out.glob("*.png")]:
            time.sleep(0.01)
        took = time.monotonic() - begun
    if process.returncode:
        raise SystemExit(f"the render of {sound} failed")
    return took


def main() -> None:
    world, kinds = (sys.argv[1] if len(sys.argv) > 1 else "meridian"), sys.argv[2:] or [*ENCODED]
    for kind in kinds:
        with tempfile.TemporaryDirectory() as name:
            sound = long_sound(Path(name), kind)
            times = [first_picture(world, sound, Path(name) / f"pictures{k}") for k in range(ROUNDS)]
        print(f"{kind}: first picture after {statistics.median(times):.2f} s ({min(times):.2f} to {max(times):.2f})")


if __name__ == "__main__":
    main()
