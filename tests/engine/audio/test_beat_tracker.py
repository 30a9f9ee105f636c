"""Out of the box a steady beat moves the picture on the beat: sound in, through all of it, amounts and picture out."""

import numpy as np
import pytest

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.audio.features import FeatureExtractor
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameter_state import ParameterState
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.frame_pipeline import FramePipeline
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.modulators import Modulators
from sonorama.engine.units import SAMPLE_RATE

from .test_features import clicks, drums

FPS = 30
FINE, COARSE = "/motion/fine/amount", "/motion/coarse/amount"


def amounts(sound: np.ndarray, path: str) -> np.ndarray:
    """Effective value of a control after every frame, everything else as it comes."""
    analysis, moves, params = FeatureExtractor(), Modulators(), ParameterState(SHOW)
    seen = []
    for at in range(SAMPLE_RATE // FPS, len(sound), SAMPLE_RATE // FPS):
        analysis.push(sound[analysis.samples : at])
        values = params.step(1 / FPS)
        params.modulate(moves.step(values, analysis.at(at), 1 / FPS))
        seen.append(params.effective()[path])
    return np.array(seen, np.float64)


def after(starts: np.ndarray) -> np.ndarray:
    """The frame in which each of the samples is first heard, and the one after it."""
    first = starts // (SAMPLE_RATE // FPS)
    return np.stack([first, first + 1])


@pytest.mark.parametrize("bpm", [90, 126, 160])
def test_every_click_stirs_the_fine_amount_and_nothing_else_does(bpm: float) -> None:
    sound, starts = clicks(bpm, 8)
    fine = amounts(sound, FINE)
    hits = after(starts[1:-1])
    assert (fine[hits].max(0) > 1.6).all()
    assert (fine[hits[0] - 1] < 1.25).all(), "it has fallen back before the next one"
    rises = np.flatnonzero(np.diff(fine) > 0.05) + 1
    assert set(rises) <= set(after(starts).ravel())


def test_the_kick_stirs_the_coarse_amount() -> None:
    bpm = 120.0
    coarse = amounts(drums(bpm, 10), COARSE)[4 * FPS :]
    beats = coarse[: len(coarse) // 15 * 15].reshape(-1, 15).mean(0)  # 15 frames a beat
    assert int(beats.argmax()) in (0, 1, 2)
    assert beats.max() - beats.min() > 0.2


def test_weather_is_not_taken_for_music(pytestconfig: pytest.Config) -> None:
    with open_sound(pytestconfig.rootpath / "examples" / "rain.ogg") as rain:
        fine = amounts(np.concatenate(list(rain.mono())), FINE)
    assert np.mean(fine > 1.25) < 0.1
    assert (amounts(np.zeros(3 * SAMPLE_RATE, np.float32), FINE) == 1).all()


@pytest.mark.parametrize("moving", [True, False])
def test_the_picture_moves_on_the_beat(moving: bool) -> None:
    """The embedded world hears nothing in dry clicks, and still shows each of them; without moves it does not."""
    world = load_world("shore")
    instrument = LoadedWorld(world, open_backend(world, "cpu"))
    still = {} if moving else {path: "off" for path in SHOW if path.endswith("/source")} | {"/look/sway": 0.0}
    player = FramePipeline(lambda _world, _device: instrument, still)
    sound, starts = clicks(120, 3.5)
    codes = []
    while player.next_sample <= len(sound):
        codes.append(player.step(sound[player.sample : player.next_sample]).w)
    steps = np.abs(np.diff(codes, axis=0)).mean((1, 2))
    hits = after(starts[1:])  # step k leads to frame k + 1, the first to hear what begins in its samples
    if not moving:
        assert steps.max() < 0.001
        return
    rest = np.delete(steps, hits.ravel())
    assert steps[hits].max(0).min() > 3 * np.quantile(rest, 0.9)
    before, hit = (instrument.backend.synthesize(codes[frame]) for frame in (hits[0, 2], hits[:, 2].max() + 1))
    assert np.abs(hit - before).mean() * 127.5 > 2, "levels of 255, mean over the picture"
