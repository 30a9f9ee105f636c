"""`make demo`: rain, thunder, fire and a waterfall in turn become a film of the default world.

Leaves build/demo/weather.mp4, the sound it was made from, and a contact sheet beside it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.inference.graph_cache import ready_graphs
from sonorama.engine.model.world_file import load_world
from sonorama.engine.units import SAMPLE_RATE
from sonorama.export.sheet import contact_sheet, write_png

HERE = Path(__file__).parent
OUT = Path("build/demo")
FADE = SAMPLE_RATE // 2
TURNS = (("rain",), ("thunder-1", "thunder-2", "thunder-3"), ("fire",), ("waterfall",))


def read(name: str) -> np.ndarray:
    """One example, mono float32 at 44.1 kHz."""
    with open_sound(HERE / f"{name}.ogg") as sound:
        return np.concatenate([*sound.mono(SAMPLE_RATE)])


def weather() -> np.ndarray:
    """The turns one after the other, each half a second into the next, all about equally loud."""
    film = np.zeros(0, np.float32)
    for names in TURNS:
        turn = np.concatenate([read(name) for name in names])
        turn = turn * (0.12 / np.sqrt(np.mean(turn**2)))
        ramp = np.linspace(0, 1, FADE, dtype=np.float32)
        turn[:FADE] *= ramp
        turn[-FADE:] *= ramp[::-1]
        joined = np.zeros(max(len(film) - FADE, 0) + len(turn), np.float32)
        joined[: len(film)] = film
        joined[-len(turn) :] += turn
        film = joined
    return np.clip(film, -1, 1)


def write_flac(samples: np.ndarray, path: Path) -> None:
    """16-bit mono FLAC."""
    with av.open(str(path), "w") as box:
        stream = box.add_stream("flac", rate=SAMPLE_RATE, layout="mono", format="s16")
        pcm = np.round(samples * 32767).astype(np.int16)[None]
        for at in range(0, pcm.shape[1], 4096):
            frame = av.AudioFrame.from_ndarray(pcm[:, at : at + 4096], "s16", "mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE, at
            box.mux(stream.encode(frame))
        box.mux(stream.encode(None))


def sheet(film: Path, path: Path, count: int = 24) -> None:
    """Evenly spaced frames of a film on one PNG."""
    with av.open(str(film)) as box:
        frames = [f.to_ndarray(format="rgb24") for f in box.decode(video=0)]
    chosen = [frames[round(i)] for i in np.linspace(0, len(frames) - 1, count)]
    write_png(path, contact_sheet(chosen, columns=6))


def main() -> int:
    """Render and say where everything is."""
    OUT.mkdir(parents=True, exist_ok=True)
    sound, film, picture = OUT / "weather.flac", OUT / "weather.mp4", OUT / "weather.png"
    write_flac(weather(), sound)
    ready_graphs(load_world("shore"))  # made once a machine; the speed told below is that of every render after
    command = [
        Path(sys.executable).with_name("sonorama"),
        "render",
        sound,
        "-o",
        film,
        "--seed",
        "46",
        "--overwrite",
        "--json",
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        return done.returncode
    report = json.loads(done.stdout)
    sheet(film, picture)
    seconds, took = report["seconds"], report["wall_seconds"]
    sys.stdout.write(f"film           {film.resolve()}\ncontact sheet  {picture.resolve()}\n")
    sys.stdout.write(
        f"{report['frames']} frames, {seconds:.1f} s of film in {took:.1f} s: {seconds / took:.2f}x real time\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
