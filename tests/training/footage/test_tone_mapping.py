"""HDR to SDR, against the standards' formulas written again, value by value, in double precision."""

import math
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame

from sonorama.training.footage.decode import Film
from sonorama.training.footage.picture import Box, Renderer
from sonorama.training.footage.tone_mapping import HLG, PEAK, PQ, WHITE, hlg_light, pq_light, tone_curve, tone_mapped

from .media import Coding, write_video


def pq_signal(nits: float) -> float:
    """The inverse EOTF of SMPTE ST 2084."""
    y = (nits / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375


def hlg_signal(scene: float) -> float:
    """The OETF of BT.2100 HLG."""
    return math.sqrt(3 * scene) if scene <= 1 / 12 else 0.17883277 * math.log(12 * scene - 0.28466892) + 0.55991073


def expected(nits: list[float]) -> list[float]:
    """sRGB levels of light in BT.2020: matrix from the primaries, curve, transfer, each from its definition."""

    def to_xyz(primaries: list[tuple[float, float]]) -> np.ndarray:
        columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
        white = np.array([0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])
        return columns * np.linalg.solve(columns, white)

    bt2020 = to_xyz([(0.708, 0.292), (0.170, 0.797), (0.131, 0.046)])
    bt709 = to_xyz([(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)])
    rgb = np.maximum(np.linalg.solve(bt709, bt2020 @ np.array(nits)), 0) / 203
    top = max(rgb.max(), 1e-9)
    mapped = top
    if top > 0.5:
        x, p = (top - 0.5) * 2, (1000 / 203 - 0.5) * 2
        mapped = min(1.0, 0.5 + 0.5 * x * (1 + x / p / p) / (1 + x))
    out = rgb * mapped / top
    return [255 * (12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055) for v in np.clip(out, 0, 1)]


LIGHTS = [[0.0, 0, 0], [1, 1, 1], [26, 26, 26], [100, 100, 100], [203, 203, 203], [1000, 1000, 1000],
          [400, 60, 20], [20, 300, 30], [10, 30, 500], [150, 120, 90]]  # fmt: skip


@pytest.mark.parametrize("nits", LIGHTS)
def test_pq_pictures_become_the_levels_of_the_standards(nits: list[float]) -> None:
    picture = np.array([[[round(65535 * pq_signal(v)) for v in nits]]], np.uint16)
    assert np.abs(tone_mapped(picture, PQ)[0, 0] - np.array(expected(nits))).max() <= 1


@pytest.mark.parametrize("nits", LIGHTS)
def test_hlg_pictures_become_the_levels_of_the_standards(nits: list[float]) -> None:
    luma = sum(k * v for k, v in zip((0.2627, 0.678, 0.0593), nits, strict=True))
    # Inverse OOTF at 1000 cd/m2: F = 1000 Y_s^0.2 E, so Y_s = (Y_d / 1000)^(1 / 1.2).
    scene = [v / 1000 * (luma / 1000) ** (1 / 1.2 - 1) if luma else 0.0 for v in nits]
    picture = np.array([[[round(65535 * min(1, hlg_signal(v))) for v in scene]]], np.uint16)
    assert max(scene) <= 1.0001
    assert np.abs(tone_mapped(picture, HLG)[0, 0] - np.array(expected(nits))).max() <= 1


def test_known_points_of_the_transfer_functions() -> None:
    assert pq_light(np.array([0.5081], np.float32))[0] == pytest.approx(100, rel=0.01)
    assert pq_light(np.array([1.0], np.float32))[0] == pytest.approx(10000, rel=1e-3)
    # BT.2408: HLG's reference white is 75 % signal and 203 cd/m2 on a display of 1000 cd/m2.
    assert hlg_light(np.full((1, 3), 0.75, np.float32))[0] == pytest.approx([203] * 3, rel=0.01)
    assert hlg_light(np.ones((1, 3), np.float32))[0] == pytest.approx([1000] * 3, rel=1e-3)


def test_the_curve_leaves_the_shadows_and_reaches_white_at_the_peak() -> None:
    light = np.linspace(0, PEAK / WHITE, 500, dtype=np.float32)
    out = tone_curve(light)
    assert np.array_equal(out[light <= 0.5], light[light <= 0.5])
    assert (np.diff(out) > 0).all() and out[-1] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("trc", "signal"), [(PQ, 0.6), (HLG, 0.5)])
def test_tags_of_a_video_decide(tmp_path: Path, trc: int, signal: float) -> None:
    """A grey HDR video of 10 bits, as HEVC; untagged it keeps its level."""
    grey = VideoFrame(128, 72, "yuv420p10le")
    for plane, value in zip(grey.planes, (round(64 + 876 * signal), 512, 512), strict=True):
        plane.update(np.full(plane.buffer_size // 2, value, np.uint16).tobytes())
    levels = {}
    for tag in (trc, 1):
        coding = Coding("libx265", "yuv420p10le", {"preset": "ultrafast", "x265-params": "log-level=none"}, trc=tag)
        film = Film(write_video(tmp_path / f"{tag}.mp4", [grey] * 3, coding=coding))
        assert film.transfer == tag
        levels[tag] = Renderer(film.geometry, Box(), (128, 72))(next(film.frames())[1])[36, 64].astype(int)
    assert abs(levels[1] - 255 * signal).max() <= 2
    picture = np.full((1, 1, 3), round(65535 * signal), np.uint16)
    assert abs(levels[trc] - tone_mapped(picture, trc)[0, 0].astype(int)).max() <= 2
    assert abs(levels[trc] - levels[1]).max() > 4
