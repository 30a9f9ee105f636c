"""A show as on a good night: values, sounds, moving controls, one fault, and pictures."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QImage

from sonorama.engine.ipc.messages import Status
from sonorama.engine.units import Pixels

CLASSES = (
    "thunderstorm", "waterfall_burbling", "volcano_eruption", "squishing_water", "wind_noise", "fire_crackling",
    "raining", "underwater_bubbling", "splashing_water",
)  # fmt: skip
"""Those of the shipped world."""
MANY = (
    *CLASSES, "sea_waves", "birds_singing", "far_thunder", "church_bells", "footsteps", "crickets", "jungle",
)  # fmt: skip
"""One for every slot."""
DOCS = Path(__file__).parents[2] / "docs"


def pictures(size: int = 256) -> list[Pixels]:
    """Places the shipped world painted, cut out of docs/shore.png."""
    sheet, made = QImage(str(DOCS / "shore.png")), []
    for column in (0, 4, 6, 8):
        tile = sheet.copy(3 + 146 * column, 295, 141, 141).convertToFormat(QImage.Format.Format_RGBA8888)
        tile = tile.scaled(size, size, transformMode=Qt.TransformationMode.SmoothTransformation)
        bits = tile.constBits()
        assert bits is not None
        made.append(np.frombuffer(bits.asstring(tile.sizeInBytes()), np.uint8).reshape(size, size, 4))
    return made


def values() -> dict[str, Any]:
    return {
        "/look/text": "a storm over black rocks at dusk",
        "/motion/coarse/amount": 0.8,
        "/motion/mid/amount": 1.2,
        "/motion/fine/amount": 0.6,
        "/motion/mid/solo": True,
        "/look/fine/mix": 0.35,
        "/look/drift": 0.12,
        "/sound/gain": 3.0,
        "/meaning/6/floor": 0.4,
        "/meaning/7/mute": True,
        "/meaning/1/amount": 1.5,
        "/moves/3/source": "lfo",
        "/moves/3/target": "/look/truncation",
        "/out/record": True,
    }


def status(tick: int) -> Status:
    """The report number `tick`, ten a second."""
    t = tick / 10
    beat = (t * 2.1) % 1.0
    hit = max(0.0, 1.0 - 4.0 * beat)
    bands = np.arange(32)
    mel = np.clip(0.75 - bands / 45 + 0.25 * np.sin(bands / 3 + 3 * t) - 0.3 * beat * (bands < 8), 0, 1)
    return Status(
        fps=29.9 + 0.05 * math.sin(t),
        target_fps=30.0,
        late=2,
        delay_ms=74.0,
        frame=tick * 3,
        renderer_pid=4711,
        restarts=0,
        scores=(("speech", 0.41), ("thunderstorm", 0.25), ("raining", 0.18), ("wind_noise", 0.07)),
        classes=CLASSES,
        class_scores=(0.25, 0.03, 0.01, 0.0, 0.07, 0.02, 0.18, 0.02, 0.01),
        level=0.62,
        bass=0.35 + 0.5 * hit,
        mid=0.5,
        high=0.3,
        onset=hit,
        beat=beat,
        bpm=126.0,
        db=-14.0,
        mel=tuple(float(value) for value in mel),
        faults=("The microphone went away; silence until it is back",),
        effective={
            "/motion/fine/amount": 0.6 + 0.9 * hit,
            "/motion/coarse/amount": 0.8 + 0.5 * (0.35 + 0.5 * hit),
            "/look/truncation": 0.7 + 0.25 * math.sin(t),
            "/meaning/5/amount": 1.0 + 0.5 * hit,
        },
        drivers={
            "/motion/fine/amount": "onset",
            "/motion/coarse/amount": "bass",
            "/look/truncation": "lfo 3",
            "/meaning/5/amount": "onset",
        },
        recording=True,
        source="USB Audio",
        osc_port=9123,
        scenes=(True, True, True),
    )
