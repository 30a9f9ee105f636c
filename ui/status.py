"""What the show says ten times a second, read tolerantly: a field that is missing or odd counts as its default."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

MEL_BANDS = 32
LEVELS = ("level", "bass", "mid", "high")


@dataclass(frozen=True)
class Status:
    """One report.

    Attributes:
        fps, target_fps: frames a second, and how many there should be.
        late: frames that came too late so far.
        delay_ms: measured from sound to picture; 0 while unknown.
        renderer_pid: 0 while there is no renderer.
        restarts: of the renderer so far.
        heard: (label, score 0..1), best first.
        osc_received: packets so far. recording: whether a file is being written.
        level, bass, mid, high, onset: 0..1. beat: phase 0..1. bpm: 0 unknown. db: dBFS.
        mel: 32 bands 0..1, low first.
        loading: addresses whose new value is asked for and takes seconds: a world, a device, a text.
        effective: address -> value the picture gets, of controls that something moves; drivers: what moves them.

    """

    fps: float = 0.0
    target_fps: float = 0.0
    late: int = 0
    delay_ms: float = 0.0
    frame: int = 0
    renderer_pid: int = 0
    restarts: int = 0
    level: float = 0.0
    bass: float = 0.0
    mid: float = 0.0
    high: float = 0.0
    onset: float = 0.0
    beat: float = 0.0
    bpm: float = 0.0
    db: float = -120.0
    osc_port: int = 0
    osc_received: int = 0
    recording: bool = False
    source: str = ""
    heard: tuple[tuple[str, float], ...] = ()
    mel: tuple[float, ...] = (0.0,) * MEL_BANDS
    faults: tuple[str, ...] = ()
    scenes: tuple[bool, ...] = (False,) * 8
    loading: tuple[str, ...] = ()
    effective: Mapping[str, float] = field(default_factory=dict[str, float])
    drivers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """From the message's `status`."""
        floats = ("fps", "target_fps", "delay_ms", *LEVELS, "onset", "beat", "bpm", "db")
        ints = ("late", "frame", "renderer_pid", "restarts", "osc_port", "osc_received")
        return cls(
            **{name: _number(said.get(name), getattr(cls, name)) for name in floats},
            **{name: int(_number(said.get(name), 0.0)) for name in ints},
            recording=said.get("recording") is True,
            source=str(said.get("source") or ""),
            heard=_heard(said.get("heard")),
            mel=_mel(said.get("mel")),
            faults=tuple(str(fault) for fault in _list(said.get("faults"))),
            scenes=tuple(bool(stored) for stored in _list(said.get("scenes")))[:8] or cls.scenes,
            loading=tuple(str(path) for path in _list(said.get("loading"))),
            effective={str(p): _number(v, 0.0) for p, v in _dict(said.get("effective")).items()},
            drivers={str(p): str(v) for p, v in _dict(said.get("drivers")).items()},
        )


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else default


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _heard(value: object) -> tuple[tuple[str, float], ...]:
    pairs = (pair for pair in _list(value) if isinstance(pair, list | tuple) and len(pair) == 2)
    return tuple((str(label).replace("_", " "), min(1.0, max(0.0, _number(score, 0.0)))) for label, score in pairs)


def _mel(value: object) -> tuple[float, ...]:
    bands = tuple(min(1.0, max(0.0, _number(band, 0.0))) for band in _list(value)[:MEL_BANDS])
    return bands + (0.0,) * (MEL_BANDS - len(bands))
