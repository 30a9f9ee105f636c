"""What tests of exported folders share: a manifest, a sound, and what the program paints of it."""

import json
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np

from sonorama.engine.control.render_table import TABLE
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import World
from sonorama.engine.pipeline.offline import OfflineRender


def told(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text("utf-8"))


def sound(path: Path) -> np.ndarray:
    """Noise that comes and goes, written as a wav of 44.1 kHz; its samples."""
    seconds = np.arange(int(1.2 * 44_100)) / 44_100
    noise = np.random.default_rng(2).standard_normal(len(seconds)) * (0.2 + 0.2 * np.sin(9 * seconds))
    samples = np.clip(np.round(noise * 32_767), -32_768, 32_767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(samples.tobytes())
    return samples.astype(np.float32) / 32_768


def played(
    world: World, samples: np.ndarray, frames: int, fps: int, device: str = "ort", place: float = 1.0
) -> list[np.ndarray]:
    """What the program paints at the default parameters but travel, and the places of classes."""
    values = {path: param.default for path, param in TABLE.items()} | {
        "/look/travel": 0.0,
        "/look/sway": 0.0,
        "/look/place": place,
    }
    render = OfflineRender(world, values, Fraction(fps), open_backend(world, device))
    return list(render.frames([samples], frames))
