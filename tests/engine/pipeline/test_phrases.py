"""Bars and phrases, builds and drops, on music whose course is known; everything continuous can be modulated."""

import numpy as np
import pytest

from sonorama.engine.audio.features import HOP, FeatureExtractor, Features
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Value
from sonorama.engine.pipeline.modulators import Modulators
from sonorama.engine.units import SAMPLE_RATE

from ..audio.music import house

STILL: dict[str, Value] = {path: "off" if path.endswith("/source") else p.default for path, p in SHOW.items()}
DT = 1 / 30


def at_beat(beats: float, drop: float = 0.0) -> Features:
    return Features(0, 0, 0, 0, 0, beats % 1.0, 120.0, -20, drop=drop)


def played(moves: Modulators, beats: float, first: float = 0.0, drop: float = 0.0) -> Features:
    """At 120 BPM, from beat `first` on; what the last frame has."""
    for frame in range(1, round(beats / 2 / DT) + 1):
        moves.step(STILL, at_beat(first + frame * DT * 2, drop), DT)
    return moves.features


def test_bars_and_phrases_are_counted_from_the_resync() -> None:
    moves = Modulators()
    assert (played(moves, 2).bar, played(moves, 4, 2).bar) == (1, 2)
    moves.resync()
    assert played(moves, 0.5).bar == 1
    for beat, bar in ((4.5, 2), (8.5, 3), (12.5, 4), (16.5, 1)):
        heard = played(moves, 4, beat - 4)
        assert heard.bar == bar
        assert heard.phrase == pytest.approx(beat / 64, abs=0.01)
    moves.step(STILL, Features(0, 0, 0, 0, 0, 0, 0, -20), DT)
    assert (moves.features.bar, moves.features.phrase) == (0, 0), "no beat"


def test_a_drop_begins_a_phrase_on_the_nearest_beat() -> None:
    moves = Modulators()
    played(moves, 22.9)
    moves.step(STILL, at_beat(22.95, 1.0), DT)
    assert abs(moves.beats) < 0.1
    assert played(moves, 4.5, 22.95, 0.9).bar == 2 and moves.features.phrase == pytest.approx(4.45 / 64, abs=0.003)


def track() -> np.ndarray:
    """8 s of house, 6 s of rising noise without bass, 6 s of house."""
    rng, n = np.random.default_rng(5), 6 * SAMPLE_RATE
    noise = np.diff(rng.standard_normal(n + 1)) * 0.004 * 40 ** np.linspace(0, 1, n)
    return np.concatenate([house(124, 8), noise.astype(np.float32), house(124, 6)])


def test_a_build_and_its_drop() -> None:
    sound, analysis, rows = track(), FeatureExtractor(), list[tuple[float, float]]()
    for at in range(HOP, len(sound), HOP):
        analysis.push(sound[at - HOP : at])
        heard = analysis.at(at)
        rows.append((heard.build, heard.drop))
    build, drop = np.array(rows).T
    assert build[1250:1400].mean() > 0.7, "while the noise rises"
    assert build[500:800].mean() < 0.2, "not in the groove"
    hits = np.flatnonzero(np.diff(drop) > 0.5)
    assert len(hits) == 1 and abs(hits[0] - 1400) < 10, "one drop, where the bass is back"


def test_everything_continuous_can_be_modulated() -> None:
    targets = set(SHOW["/moves/1/target"].choices)
    outside = ("/window/", "/clock/", "/timecode/")  # of the panel's displays; a clock that a modulator moves is none
    continuous = {path for path, param in SHOW.items() if param.kind == "float" and not path.startswith(outside)}
    assert targets - {"none"} == continuous - {"/engine/fps"}
