"""`make demo`: a film of one minute from rain, thunder, fire, a waterfall, the sea from below and a piece of music.

The film travels as all do: nothing is set but the seed. Leaves build/demo/minute.mp4, the sound it was made from, and a
contact sheet beside it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import reduce
from pathlib import Path

import av
import numpy as np

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.inference.graph_cache import ready_graphs
from sonorama.engine.model.world_file import load_world
from sonorama.engine.picture.contact_sheet import contact_sheet, write_png
from sonorama.engine.units import DEFAULT_WORLD, SAMPLE_RATE

HERE = Path(__file__).parent
OUT = Path("build/demo")
SEED = 13
FADE = SAMPLE_RATE // 2
LOUDNESS = 0.12
"""RMS level of each scene."""
SCENES: tuple[tuple[float, tuple[str, ...]], ...] = (  # seconds, recordings one after the other
    (9.4, ("rain",)),
    (7.5, ("thunder-1", "thunder-2", "thunder-3")),
    (9.3, ("fire",)),
    (8.0, ("waterfall", "waterfall")),
    (12.3, ("underwater",)),
)
LOOPS = ("music-1", "music-2")
"""Four bars each at 120 beats a minute: the first one alone, then both."""


def read(name: str) -> np.ndarray:
    """One example, mono float32 at 44.1 kHz."""
    with open_sound(HERE / f"{name}.ogg") as sound:
        return np.concatenate([*sound.mono(SAMPLE_RATE)])


def joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """One sound half a second into the next, faded across."""
    ramp = np.linspace(0, 1, FADE, dtype=np.float32)
    across = first[-FADE:] * ramp[::-1] + second[:FADE] * ramp
    return np.concatenate([first[:-FADE], across, second[FADE:]])


def scenes() -> list[np.ndarray]:
    """Each recording for its time, and the music; all about equally loud."""
    parts = [reduce(joined, map(read, names))[: round(seconds * SAMPLE_RATE)] for seconds, names in SCENES]
    one, two = map(read, LOOPS)
    parts.append(np.concatenate([one, 0.7 * one + 0.9 * two]))
    return [part * (LOUDNESS / np.sqrt(np.mean(part**2))) for part in parts]


def minute() -> np.ndarray:
    """The scenes as one sound of sixty seconds, faded in and out."""
    sound = reduce(joined, scenes())
    ramp = np.linspace(0, 1, FADE, dtype=np.float32)
    sound[:FADE] *= ramp
    sound[-FADE:] *= ramp[::-1]
    return np.clip(sound, -1, 1)


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
    sound, film, picture = OUT / "minute.flac", OUT / "minute.mp4", OUT / "minute.png"
    write_flac(minute(), sound)
    ready_graphs(load_world(DEFAULT_WORLD))  # made once a machine; the speed told below is that of every render after
    command = [
        Path(sys.executable).with_name("sonorama"),
        "render",
        sound,
        "-o",
        film,
        "--seed",
        str(SEED),
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
