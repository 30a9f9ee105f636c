"""From sound to pictures without a show: the whole pipeline in one loop.

    python examples/hello.py examples/rain.ogg pictures --seconds 2

1. open a world (card and tensors) on a backend (where its networks run)
2. read a sound as mono float32 at 44,100 Hz
3. for every frame: hand the pipeline the samples since the frame before; it returns style codes w_hat [L,W]
4. let the generator paint them: float32 [H,W,3] in 0..1

Nothing here depends on a clock: the same sound, world and values give the same pictures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.errors import SonoramaError
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.picture.contact_sheet import write_png
from sonorama.engine.pipeline.frame_pipeline import FramePipeline
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.units import DEFAULT_WORLD, Array

FPS = Fraction(30)
VALUES: dict[str, Value] = {"/look/seed": 50, "/look/truncation": 0.7, "/motion/fine/amount": 1.2}
"""Values to start with, by address; all others stand at their defaults. `sonorama parameters` lists them."""


def open_world(name: str, device: str) -> LoadedWorld:
    """A world ready to play, by name or path, on a device such as `auto`."""
    world = load_world(name)
    return LoadedWorld(world, open_backend(world, device))


def frames(world: LoadedWorld, sound: Array, seconds: float) -> Iterator[Array]:
    """Pictures float32 [H,W,3] in 0..1, FPS a second, that answer to a mono sound [n] at 44,100 Hz."""
    # The pipeline asks for a world by (name, device) whenever /engine/world or /engine/device change; ours never do.
    pipeline = FramePipeline(lambda _name, _device: world, VALUES, FPS)
    for number in range(round(seconds * FPS)):
        first, last = pipeline.sample, pipeline.next_sample
        block = np.zeros(last - first, np.float32)  # silence after the sound's end
        heard = sound[first:last]
        block[: len(heard)] = heard
        result = pipeline.step(block, changes_at(number))
        yield world.backend.synthesize(result.w)


def changes_at(frame: int) -> list[Change]:
    """What a player does: here, the picture walks to another seed after a second."""
    return [Change("/look/seed", 7, "hello")] if frame == round(1 * FPS) else []


def read(path: Path, seconds: float) -> Array:
    """The first seconds of any sound or video file, mono float32 at 44,100 Hz."""
    with open_sound(path) as sound:
        blocks = list(sound.mono(duration=min(seconds, float(sound.duration))))
    return np.concatenate([np.zeros(0, np.float32), *blocks])


def main() -> int:
    """Write one PNG a frame."""
    parser = argparse.ArgumentParser(description="Sound to pictures, without a show.")
    parser.add_argument("sound", type=Path)
    parser.add_argument("out", type=Path, help="a new folder for the pictures")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--world", default=DEFAULT_WORLD)
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    try:
        sound = read(args.sound, args.seconds)
        world = open_world(args.world, args.device)
        args.out.mkdir(parents=True)
        for number, picture in enumerate(frames(world, sound, args.seconds)):
            write_png(args.out / f"{number:05}.png", np.round(picture * 255).astype(np.uint8))
    except SonoramaError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except FileExistsError:
        sys.stderr.write(f"{args.out} is there already\nName a new folder.\n")
        return 2
    sys.stdout.write(f"{round(args.seconds * FPS)} pictures in {args.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
