"""What the picture's effects cost: milliseconds of processor time a picture, at 448x256 (a wide world) and 256x256.

    OMP_NUM_THREADS=1 .venv/bin/python tests/benchmarks/effects.py

Every setting changes with each picture, as a modulator would have it, but the number of the kaleidoscope's segments.
"""

import statistics
import time

import numpy as np

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Value
from sonorama.engine.picture.effects import PictureEffects

RUNS = 200
DEFAULTS: dict[str, Value] = {path: param.default for path, param in SHOW.items() if path.startswith("/picture/")}
WAYS: dict[str, dict[str, float]] = {
    "none": {},
    "kaleidoscope": {"kaleidoscope": 6},
    "colour": {"hue": 30.0, "saturation": 1.5, "contrast": 1.2},
    "trail": {"trail": 0.3},
    "trail that grows": {"trail": 0.3, "trail_zoom": 1.5},
    "all of it": {
        "kaleidoscope": 6, "hue": 30.0, "saturation": 1.5, "contrast": 1.2, "trail": 0.3, "trail_zoom": 1.5,
        "strobe": 0.5,
    },
}  # fmt: skip


def main() -> None:
    rng = np.random.default_rng(0)
    for width, height in ((448, 256), (256, 256)):
        pictures = rng.integers(0, 256, (8, height, width, 4), dtype=np.uint8)
        pictures[..., 3] = 255
        for name, way in WAYS.items():
            effects, spent = PictureEffects(), list[float]()
            for run in range(RUNS):
                own = {f"/picture/{key}": value for key, value in way.items()}
                if "hue" in way:
                    own["/picture/hue"] = float(run % 180)
                if "trail_zoom" in way:
                    own["/picture/trail_zoom"] = 1.2 + run % 50 / 100
                begun = time.process_time_ns()
                effects.apply(pictures[run % 8], {**DEFAULTS, **own}, run * 1470)
                spent.append((time.process_time_ns() - begun) / 1e6)
            late = statistics.quantiles(spent, n=20)[-1]
            print(f"{width}x{height} {name:17} median {statistics.median(spent):5.2f} ms, 95 % within {late:5.2f} ms")


if __name__ == "__main__":
    main()
