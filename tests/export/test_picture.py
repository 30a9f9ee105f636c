"""Colour, depth and shape of what reaches the encoder."""

import numpy as np
import pytest
from av.video.frame import VideoFrame

from sonorama.export.picture import Converter, Fit, cropped, fitted, mirror_margins
from sonorama.export.presets import PRESETS, Preset

FILMS = [preset for preset in PRESETS.values() if not (preset.sequence or preset.rgb)]


def plane(frame: VideoFrame, index: int) -> np.ndarray:
    data = np.frombuffer(frame.planes[index], np.uint8 if frame.format.name == "yuv420p" else np.uint16)  # pyright: ignore
    return data.reshape(frame.planes[index].height, -1)[:, : frame.planes[index].width].astype(float)


def bt709(rgb: np.ndarray, bits: int) -> list[np.ndarray]:
    """Y', Cb, Cr of ITU-R BT.709 (items 3.2 to 3.5), limited range: written apart from the code."""
    r, g, b = np.moveaxis(rgb.astype(float), 2, 0)
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    unit = 2.0 ** (bits - 8)
    return [
        (219 * y + 16) * unit,
        (224 * (b - y) / 1.8556 + 128) * unit,
        (224 * (r - y) / 1.5748 + 128) * unit,
    ]


def bits(preset: Preset) -> int:
    return 8 if preset.pixels == "yuv420p" else int(preset.pixels.removesuffix("le").split("p")[-1])


@pytest.mark.parametrize("preset", FILMS, ids=lambda preset: preset.name)
def test_colours_are_bt709_within_one_level(preset: Preset) -> None:
    patches = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32)
    patches[0, :2] = [[0, 0, 0], [1, 1, 1]]
    card = patches.repeat(32, axis=0).repeat(32, axis=1)
    out = Converter(preset, (256, 256), (256, 256), "cover")(card)
    assert (out.colorspace, out.color_range, out.color_trc, out.color_primaries) == (1, 1, 1, 1)
    for index, wanted in enumerate(bt709(patches, bits(preset))):
        got = plane(out, index)
        step_y, step_x = 256 // got.shape[0], 256 // got.shape[1]
        centres = got[16 // step_y :: 32 // step_y, 16 // step_x :: 32 // step_x]
        assert np.abs(centres - wanted).max() < 1.0, index


def test_eight_bit_frames_mean_the_same_as_floats() -> None:
    frame = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    preset = PRESETS["h264"]
    one = Converter(preset, (64, 64), (64, 64), "cover")(frame)
    other = Converter(preset, (64, 64), (64, 64), "cover")((frame / np.float32(255)).astype(np.float32))
    assert np.abs(plane(one, 0) - plane(other, 0)).max() <= 1


@pytest.mark.parametrize("name", [name for name, preset in PRESETS.items() if preset.deep])
def test_deep_presets_refuse_eight_bit_frames(name: str) -> None:
    convert = Converter(PRESETS[name], (64, 64), (64, 64), "cover")
    with pytest.raises(ValueError, match="uint8"):
        convert(np.zeros((64, 64, 3), np.uint8))


@pytest.mark.parametrize("name", ["hap", "dxv"])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_eight_bit_rgb_is_exact(name: str, kind: type) -> None:
    frame = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    given = frame if kind is np.uint8 else (frame / np.float32(255)).astype(np.float32)
    out = Converter(PRESETS[name], (64, 64), (64, 64), "cover")(given).to_ndarray()
    assert np.abs(out[..., :3].astype(int) - frame).max() <= 1
    assert (out[..., 3] == 255).all()


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="64, 64"):
        Converter(PRESETS["png"], (64, 64), (64, 64), "cover")(np.zeros((32, 64, 3), np.float32))


def test_values_past_white_and_black_clip() -> None:
    frame = np.full((64, 64, 3), 1.5, np.float32)
    frame[:32] = -0.5
    luma = plane(Converter(PRESETS["ffv1"], (64, 64), (64, 64), "cover")(frame), 0)
    assert luma[0, 0] == 16 * 256
    assert luma[-1, -1] == 235 * 256


def still(frame: np.ndarray, size: tuple[int, int], fit: Fit, name: str = "tiff16") -> np.ndarray:
    """Through a 16 bit R'G'B' preset: floats [height, width, 3]."""
    source = (frame.shape[1], frame.shape[0])
    return Converter(PRESETS[name], source, size, fit)(frame).to_ndarray().astype(np.float64) / 65535


def test_stills_of_the_same_size_are_exact() -> None:
    frame = np.random.default_rng(2).random((48, 64, 3)).astype(np.float32)
    assert np.abs(still(frame, (64, 48), "cover") - frame).max() <= 1 / 65535


def smooth(width: int, height: int) -> np.ndarray:
    """A picture without detail: each pixel's x and y (0..1 over the frame) as red and green."""
    x, y = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    return np.stack([*np.meshgrid(x, y), np.full((height, width), 0.5)], axis=2).astype(np.float32)


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (640, 641), (100, 31)])
def test_cover_fills_the_frame_without_stretching(size: tuple[int, int]) -> None:
    out = still(smooth(256, 256), size, "cover")
    assert out.shape == (size[1], size[0], 3)
    slope_x = (out[size[1] // 2, -20, 0] - out[size[1] // 2, 20, 0]) / (size[0] - 40)
    slope_y = (out[-10, size[0] // 2, 1] - out[10, size[0] // 2, 1]) / (size[1] - 20)
    assert slope_x == pytest.approx(1 / max(size), rel=0.01)
    assert slope_y == pytest.approx(slope_x, rel=0.01)
    assert np.abs(out[size[1] // 2, size[0] // 2, :2] - 0.5).max() < 0.02  # the middle stays in the middle
    assert out[..., 2].min() > 0.49  # nothing is black


@pytest.mark.parametrize("name", ["tiff16", "exr"])
def test_contain_shows_all_between_black_bars(name: str) -> None:
    frame = smooth(256, 256)
    convert = Converter(PRESETS[name], (256, 256), (1920, 1080), "contain")
    out = convert(frame).to_ndarray().astype(np.float64)
    assert out.shape == (1080, 1920, 3)
    assert not out[:, :420].any()
    assert not out[:, 1500:].any()
    assert (out[:, 420:1500, 2] > 0).all()


def test_contain_pads_a_film_with_black() -> None:
    out = Converter(PRESETS["h264"], (64, 64), (192, 108), "contain")(np.full((64, 64, 3), 0.5, np.float32))
    luma, blue = plane(out, 0), plane(out, 1)
    assert np.array_equal(luma[:, :42], np.full((108, 42), 16))
    assert luma[:, 44:148].min() > 100
    assert np.abs(blue - 128).max() <= 1


@pytest.mark.parametrize("name", ["tiff16", "h264"])
def test_contain_draws_no_sliver_of_black(name: str) -> None:
    """A wide world without its edges, 438x246, is not quite 16:9."""
    frame = np.full((256, 448, 3), 0.5, np.float32)
    out = Converter(PRESETS[name], (448, 256), (1920, 1080), "contain", inset=5)(frame)
    rows = out.to_ndarray().astype(np.float64)[..., 0] if name == "tiff16" else plane(out, 0).astype(np.float64)
    assert rows.shape == (1080, 1920)
    assert rows.min() > rows.max() / 2


def test_mirror_continues_the_frame_with_its_copies() -> None:
    out = still(smooth(256, 256), (1920, 1080), "mirror")
    middle = out[540, :, 0]
    assert middle[430] == pytest.approx(out[540, 409, 0], abs=0.01)  # either side of the seam at 420
    assert np.all(np.diff(middle[500:1400]) > 0)
    assert middle[0] == pytest.approx(420 / 1080, abs=0.01)
    assert np.abs(middle[419:0:-1] - middle[420:839]).max() < 0.01
    assert out[10, 960, 1] == pytest.approx(10 / 1080, abs=0.01)  # nothing is cropped above


def test_mirror_repeats_for_very_wide_frames() -> None:
    out = still(smooth(32, 32), (640, 64), "mirror")
    assert out.shape == (64, 640, 3)
    assert out[..., 2].min() > 0.49


def test_the_shapes_behind_the_fits() -> None:
    assert fitted((256, 256), (1920, 1080), "cover") == (1920, 1920)
    assert fitted((256, 256), (1920, 1080), "contain") == (1080, 1080)
    assert mirror_margins((256, 256), (1920, 1080)) == (100, 0)
    assert mirror_margins((256, 256), (1080, 1920)) == (0, 100)
    assert mirror_margins((256, 256), (64, 64)) == (0, 0)


@pytest.mark.parametrize(
    "preset", [preset for preset in PRESETS.values() if preset.deep], ids=lambda preset: preset.name
)
@pytest.mark.parametrize("size", [(1024, 64), (2048, 128)])
def test_gradients_keep_more_than_256_levels(preset: Preset, size: tuple[int, int]) -> None:
    ramp = np.linspace(0, 1, 1024, dtype=np.float32)
    frame = np.repeat(np.repeat(ramp[None, :, None], 64, axis=0), 3, axis=2)
    out = Converter(preset, (1024, 64), size, "cover")(frame)
    levels = out.to_ndarray()[size[1] // 2, :, 0] if preset.sequence else plane(out, 0)[size[1] // 2]
    assert len(np.unique(levels)) > 800
    assert np.all(np.diff(levels.astype(np.float64)) >= -(levels.max() / 900))


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (3840, 2160), (1280, 720), (641, 361)])
def test_a_part_of_the_source_scales_as_all_of_it_does(size: tuple[int, int]) -> None:
    """Cover leaves out rows that nobody sees before it scales; what is seen must stay where it was."""
    part, whole = cropped((256, 256), size, (2, 2)), fitted((256, 256), size, "cover")
    for n, out, of in zip(part, whole, size, strict=True):
        assert (256 - n) % 2 == 0
        assert n * out % 256 == 0
        assert n == 256 or n * out // 256 >= of + 2 * 3 * out // 256  # Lanczos reads three pixels beyond
    if size == (1920, 1080):
        assert part == (256, 152)


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (3840, 2160), (512, 512), (480, 270)])
@pytest.mark.parametrize("name", ["tiff16", "ffv1", "prores-422hq", "h264"])
def test_a_centred_cross_stays_centred_and_symmetric(size: tuple[int, int], name: str) -> None:
    frame = np.full((256, 256, 3), 0.25, np.float32)
    frame[126:130] = frame[:, 126:130] = 0.75
    out = Converter(PRESETS[name], (256, 256), size, "cover")(frame)
    luma = out.to_ndarray()[..., 1].astype(float) if PRESETS[name].rgb else plane(out, 0)
    tolerance = 2 if name == "h264" else luma.max() / 250  # 8 bits are dithered
    assert np.abs(luma - luma[::-1]).max() <= tolerance
    assert np.abs(luma - luma[:, ::-1]).max() <= tolerance
    profile = luma[5] - luma[5].min()
    assert np.average(np.arange(size[0]), weights=profile) == pytest.approx((size[0] - 1) / 2, abs=0.05)


def test_enlargement_is_lanczos_and_rings_little() -> None:
    """Against the kernel written out: sinc(x) sinc(x / 3), and its known overshoot beside a step."""
    frame = np.full((64, 64, 3), 0.25, np.float32)
    frame[:, 32:] = 0.75
    out = still(frame, (512, 512), "cover")[256, :, 0]
    at = (np.arange(512) + 0.5) / 8 - 0.5
    taps = np.arange(-8, 72)
    weights = np.sinc(at[:, None] - taps) * np.sinc((at[:, None] - taps) / 3) * (np.abs(at[:, None] - taps) < 3)
    wanted = (weights / weights.sum(1, keepdims=True)) @ np.where(taps >= 32, 0.75, 0.25)
    assert np.abs(out - wanted).max() < 0.002
    assert out.max() < 0.75 + 0.5 * 0.12
    assert np.abs(out[: 512 // 2 - 8 * 4] - 0.25).max() < 1e-4  # nothing beyond the three pixels of the kernel
    assert np.abs(out[512 // 2 + 8 * 4 :] - 0.75).max() < 1e-4


@pytest.mark.parametrize("name", ["h264", "prores-422hq", "ffv1"])
def test_hard_edges_stay_within_the_legal_range(name: str) -> None:
    frame = np.zeros((64, 64, 3), np.float32)
    frame[:, 32:] = 1
    frame[32:, :, 1:] = 0
    out = Converter(PRESETS[name], (64, 64), (640, 640), "cover")(frame)
    unit = 1 << bits(PRESETS[name]) - 8
    assert (plane(out, 0).min(), plane(out, 0).max()) == (16 * unit, 235 * unit)
    for index in (1, 2):
        assert plane(out, index).min() >= 16 * unit
        assert plane(out, index).max() <= 240 * unit


@pytest.mark.parametrize("fit", ["cover", "contain", "mirror"])
def test_inset_leaves_the_edge_out(fit: Fit) -> None:
    frame = np.full((64, 64, 3), 0.5, np.float32)
    frame[:2] = frame[-2:] = frame[:, :2] = frame[:, -2:] = 1
    convert = Converter(PRESETS["tiff16"], (64, 64), (640, 360), fit, inset=2)
    out = convert(frame).to_ndarray() / 65535
    assert out.max() < 0.501


def test_a_cropped_picture_begins_where_vectors_do() -> None:
    """The DNxHR encoder ends the process on others."""
    convert = Converter(PRESETS["dnxhr-hqx"], (448, 256), (1920, 1080), "cover", 5)
    picture = convert(np.zeros((256, 448, 3), np.float32))
    assert (picture.width, picture.height) == (1920, 1080)
    assert [plane.buffer_ptr % 32 for plane in picture.planes] == [0, 0, 0]
