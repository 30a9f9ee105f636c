"""How far thirty seconds of music lead the picture, out of the box: whether they look like one picture.

    PYTHONPATH=. .venv/bin/python tests/benchmarks/identity.py [WORLD] [SHEET.jpg]

Pictures are compared by 1 - cosine of their pooled maps in the frozen image backbone, divided by the median distance
between the pictures of different seeds: 0 is the same picture, 1 is as different as another seed's. For each sound:
the mean distance of pictures 0.5, 2, 5, 10 and 20 s apart, the distance from the first picture after 30 s, and the mean
change from picture to picture in the first half of a beat, divided by that in the second, where the tempo is known. The
still is silence without travel and modulators; in silence alone the picture travels.
"""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tests.engine.audio import music

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.control.live_table import FILM
from sonorama.engine.control.parameters import Value
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.offline import OfflineRender
from sonorama.engine.units import DEFAULT_WORLD, SAMPLE_RATE
from sonorama.training.backbone import Backbone
from sonorama.training.metrics.distance import pooled

SECONDS, FPS, BPM = 30, 16, 120
EXAMPLES = Path(__file__).parents[2] / "examples"
LAGS_S = (0.5, 2, 5, 10, 20)
SEEDS = 40


def features(pictures: list[np.ndarray], backbone: Backbone) -> torch.Tensor:
    """Unit vectors [N,D] of pictures [H,W,3] in 0..1."""
    batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() * 2 - 1
    with torch.no_grad():
        parts = [pooled(part, backbone) for part in batch.split(16)]
    found = torch.cat(parts)
    return found / found.norm(dim=1, keepdim=True)


def median_of_seeds(world: LoadedWorld, backbone: Backbone) -> float:
    """Median distance between the pictures of different seeds at the default truncation."""
    psi = float(FILM["/look/truncation"].default)
    codes = (world.seed_bank.base(seed, psi, 0.0, None, 0.0) for seed in range(1, SEEDS + 1))
    found = features([world.backend.synthesize(w) for w in codes], backbone)
    return float((1 - found @ found.T)[~torch.eye(SEEDS, dtype=torch.bool)].median())


def loop_of(path: Path) -> np.ndarray:
    """A sound file, mono."""
    with open_sound(path) as sound:
        return np.concatenate([*sound.mono(SAMPLE_RATE)])


def sounds() -> dict[str, tuple[np.ndarray, float]]:
    """Silence, music by rule, and recorded loops; each with its beats per minute, 0 where they are not known."""
    silence = np.zeros(SECONDS * SAMPLE_RATE, np.float32)
    t = np.arange(len(silence)) / SAMPLE_RATE
    pad = sum(0.08 * np.sin(2 * np.pi * hz * t) for hz in (110.0, 164.8, 220.0, 277.2))
    pad = (pad * (0.6 + 0.4 * np.sin(2 * np.pi * t / 8))).astype(np.float32)
    loops = {path.stem: loop_of(path) for path in sorted(EXAMPLES.glob("music-*.ogg"))}
    return {
        "still": (silence, 0.0),
        "silence": (silence, 0.0),
        "house": (music.house(BPM, SECONDS), BPM),
        "drum and bass": (music.drum_and_bass(174, SECONDS), 174.0),
        "pad": (pad, 0.0),
        **{name: (np.resize(loop, len(silence)), 0.0) for name, loop in loops.items()},
    }


def figures(found: torch.Tensor, scale: float, bpm: float) -> str:
    """One line of figures of the pictures' features [N,D]."""
    apart = {lag: float((1 - (found[: -round(lag * FPS)] * found[round(lag * FPS) :]).sum(1)).mean()) for lag in LAGS_S}
    told = "  ".join(f"{lag:g} s {value / scale:.2f}" for lag, value in apart.items())
    told += f"  end {float(1 - found[0] @ found[-1]) / scale:.2f}"
    if not bpm:
        return told
    steps = 1 - (found[1:] * found[:-1]).sum(1)
    early = (torch.arange(1, len(found)) / FPS * bpm / 60) % 1 < 0.5
    return told + f"  beat {float(steps[early].mean() / steps[~early].mean().clamp(min=1e-9)):.2f}"


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else DEFAULT_WORLD
    torch.set_num_threads(1)
    loaded, backbone = load_world(name), Backbone()
    backend = open_backend(loaded, "cpu")
    scale = median_of_seeds(LoadedWorld(loaded, backend), backbone)
    values: dict[str, Value] = {path: param.default for path, param in FILM.items()}
    rows = []
    depths = [path for path in values if path.startswith("/moves/") and path.endswith("/depth")]
    still = values | dict.fromkeys(["/look/travel", "/look/sway", *depths], 0.0)
    for label, (sound, bpm) in sounds().items():
        render = OfflineRender(loaded, still if label == "still" else values, Fraction(FPS), backend)
        pictures = list(render.frames([sound], SECONDS * FPS))
        print(f"{label:14} {figures(features(pictures, backbone), scale, bpm)}", flush=True)
        rows.append(np.concatenate([(picture * 255).astype(np.uint8) for picture in pictures[:: 2 * FPS]], 1))
    if len(sys.argv) > 2:
        Image.fromarray(np.concatenate(rows)[::2, ::2]).save(sys.argv[2])


if __name__ == "__main__":
    main()
