"""The procedural pictures: their contract, their motion and their colours."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.io import decode_image, write_jpeg

from sonorama.engine.errors import InputError, OutputError
from sonorama.training.data.procedural_pictures import CLASSES, draw
from sonorama.training.data.procedural_pictures.contact_sheet import write_sheets
from sonorama.training.data.procedural_pictures.noise import noise, tile
from sonorama.training.data.procedural_pictures.particles import stamp
from sonorama.training.data.procedural_pictures.rain import streaks
from sonorama.training.data.procedural_pictures.storm import bolt, drawn, strikes
from sonorama.training.data.procedural_pictures.underwater import bubbles
from sonorama.training.data.procedural_pictures.view import blur, look

NOISE = torch.rand(3, 48, 64, generator=torch.Generator().manual_seed(0))
LIGHTNING = "thunderstorm"


def landscape(height: int = 128, width: int = 224) -> Tensor:
    """A photo made up [3,H,W]: a blue sky, lighter below, over a green ground with grain and a ridge between them."""
    y = torch.linspace(0, 1, height)[:, None]
    x = torch.linspace(0, width / height, width)
    sky = torch.stack([0.35 + 0.4 * y, 0.55 + 0.3 * y, 0.9 + 0.0 * y]).expand(3, height, width)
    grain = torch.rand(1, height, width, generator=torch.Generator().manual_seed(3))
    ground = torch.tensor([0.22, 0.36, 0.12])[:, None, None] * (0.6 + 0.6 * grain)
    return torch.where(y > 0.5 + 0.06 * torch.sin(5 * x), ground, sky).contiguous()


def luma(x: Tensor) -> float:
    return float((x * torch.tensor([0.2126, 0.7152, 0.0722])[:, None, None]).sum(0).mean())


def saturation(x: Tensor) -> float:
    return float((x.amax(0) - x.amin(0)).mean())


@pytest.mark.parametrize(
    "photo", [pytest.param(NOISE, marks=pytest.mark.soak), landscape()], ids=["noise", "landscape"]
)
@pytest.mark.parametrize("kind", CLASSES)
def test_more_strength_changes_more_and_none_nothing(kind: str, photo: Tensor) -> None:
    assert torch.equal(draw(photo, kind, 0.0, 0.37, 5), photo)
    changes = [float((draw(photo, kind, s, 0.37, 5) - photo).abs().mean()) for s in (0.01, 0.2, 0.4, 0.6, 0.8, 1.0)]
    assert changes == sorted(changes)
    assert 0 < changes[0] < 0.03
    assert changes[-1] > 0.08


@pytest.mark.parametrize("shape", [(64, 64), (64, 112), (256, 448), (97, 211), (512, 200), (64, 24)])
def test_every_aspect(shape: tuple[int, int]) -> None:
    photo = landscape(*shape)
    for kind in CLASSES:
        y = draw(photo, kind, 1.0, 12.3, 2)
        assert y.shape == photo.shape
        assert y.dtype == torch.float32
        assert y.isfinite().all()
        assert y.min() >= 0
        assert y.max() <= 1


@pytest.mark.parametrize("kind", CLASSES)
def test_effects_scale_with_the_height(kind: str) -> None:
    small, large = (draw(landscape(h, h * 7 // 4), kind, 0.9, 2.0, 7) for h in (64, 192))
    assert (F.interpolate(large[None], small.shape[1:], mode="area")[0] - small).abs().mean() < 0.09


@pytest.mark.parametrize("kind", CLASSES)
def test_photo_and_arguments_alone_decide(kind: str) -> None:
    photo = landscape(64, 112)
    kept = photo.clone()
    first = draw(photo, kind, 0.9, 2.0, 7)
    torch.manual_seed(99)
    tile.cache_clear()
    draw(NOISE, kind, 0.5, 9.0, 8)
    assert torch.equal(draw(photo, kind, 0.9, 2.0, 7), first)
    assert torch.equal(photo, kept)
    assert not torch.equal(draw(photo, kind, 0.9, 2.0, 8), first)
    assert not torch.equal(draw(photo, kind, 0.9, 2.3, 7), first)


@pytest.mark.parametrize("kind", [k for k in CLASSES if k != LIGHTNING])
def test_nothing_jumps(kind: str) -> None:
    """A thousandth of a second changes little at any time, also where particles begin anew."""
    photo = landscape(160, 96)
    for i in range(10):
        t = 0.4 + 0.737 * i
        now = draw(photo, kind, 0.9, t, 3)
        assert (draw(photo, kind, 0.9, t + 0.001, 3) - now).abs().mean() < 0.008
        assert (draw(photo, kind, 0.9, t + 1 / 30, 3) - now).abs().mean() < 0.1


def test_a_storm_jumps_only_when_it_strikes() -> None:
    """Light comes at once and goes more slowly."""
    photo = landscape(80, 48)
    levels = torch.tensor([luma(draw(photo, LIGHTNING, 0.9, i / 30, 3)) for i in range(90)])
    assert 2 <= int((levels.diff() > 0.03).sum()) <= 8
    assert -levels.diff().min() < 0.75 * levels.diff().max()
    steps = torch.tensor([luma(draw(photo, LIGHTNING, 0.9, i / 30 + 0.001, 3)) for i in range(90)]) - levels
    assert int((steps.abs() > 0.004).sum()) <= 8


def shift(a: Tensor, b: Tensor, reach: int) -> tuple[int, int]:
    """By how many pixels (down, right) [H,W] `b` is best explained as `a` moved, by circular correlation."""
    score = torch.fft.irfft2(torch.fft.rfft2(a).conj() * torch.fft.rfft2(b), s=a.shape)
    score = score.roll((reach, reach), (0, 1))[: 2 * reach + 1, : 2 * reach + 1]
    down, right = divmod(int(score.argmax()), 2 * reach + 1)
    return down - reach, right - reach


def moved(kind: str, dt: float, rows: slice, columns: slice, seed: int = 4) -> list[tuple[int, int]]:
    """Shifts (down, right) within `dt` seconds at six times, of what changes in a region of a picture 256 px high."""
    photo = landscape(256, 448)
    times = [0.7 + 0.61 * i for i in range(6)]
    pairs = torch.stack([draw(photo, kind, 1.0, t + d, seed).mean(0)[rows, columns] for t in times for d in (0, dt)])
    # Clouds and shadows that hardly move must not outweigh what is fine and quick.
    pairs = pairs - pairs.mean(0)
    pairs = (pairs - blur(pairs, 0.02)).unflatten(0, (6, 2))
    return [shift(a, b, 20) for a, b in pairs]


def agree(shifts: list[int], sign: int) -> bool:
    """At least five of six go the right way, and none the other way by more than a pixel."""
    return sum(sign * s > 0 for s in shifts) >= 5 and all(sign * s >= -1 for s in shifts)


ALL = slice(None)


def test_drops_fall_and_bubbles_rise() -> None:
    view = look(landscape(256, 448))
    for t in (0.3, 2.2, 7.9):
        a, b = (streaks(view, 260, 0.085, 2.0, 0.1, t + d, 5) for d in (0.0, 0.02))
        assert shift(a, b, 20) == (pytest.approx(0.02 * 2.0 * 256, abs=1), pytest.approx(1, abs=1))
        a, b = (bubbles(view, 40, 0.02, t + d, 5) for d in (0.0, 0.1))
        assert -14 < shift(a, b, 20)[0] < -3


@pytest.mark.parametrize(
    ("kind", "dt", "rows", "columns", "sign"),
    [
        ("waterfall_burbling", 1 / 30, slice(70, 170), slice(160, 288), 1),
        ("splashing_water", 1 / 10, slice(190, 256), ALL, 1),
        ("volcano_eruption", 1 / 5, slice(110, 180), slice(150, 300), 1),
        ("fire_crackling", 1 / 30, slice(90, 230), ALL, -1),
        ("underwater_bubbling", 1 / 20, slice(60, 200), ALL, -1),
    ],
)
def test_what_falls_falls_and_what_rises_rises(kind: str, dt: float, rows: slice, columns: slice, sign: int) -> None:
    assert agree([down for down, _ in moved(kind, dt, rows, columns)], sign)


def test_rain_falls_in_the_picture() -> None:
    """What came within a twentieth of a second is rain: clouds hardly move."""
    photo, found = landscape(256, 448), []
    for i in range(6):
        at = [
            draw(photo, "raining", 1.0, 0.7 + 0.61 * i + d, 4).mean(0)[:110] for d in (0.0, 0.05, 1 / 60, 0.05 + 1 / 60)
        ]
        found.append(shift(at[1] - at[0], at[3] - at[2], 12)[0])
    assert agree(found, 1)


@pytest.mark.parametrize(("seed", "way"), [(4, -1), (5, 1)])
def test_wind_blows_the_way_of_its_seed(seed: int, way: int) -> None:
    assert agree([right for _, right in moved("wind_noise", 1 / 15, slice(0, 60), ALL, seed)], way)


@pytest.mark.parametrize("photo", [NOISE, landscape()], ids=["noise", "landscape"])
@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in (2, 3))])
def test_each_weather_has_its_colours(photo: Tensor, seed: int) -> None:
    scenes = {k: draw(photo, k, 0.9, 0.3, seed) for k in CLASSES}

    def warmth(x: Tensor) -> float:
        return float((x[0] - x[2]).mean())

    assert luma(scenes["thunderstorm"]) < luma(photo) - 0.1
    assert warmth(scenes["fire_crackling"]) > warmth(photo) + 0.2
    assert warmth(scenes["volcano_eruption"]) > warmth(photo) + 0.1
    assert warmth(scenes["squishing_water"]) > warmth(photo) + 0.02
    assert warmth(scenes["underwater_bubbling"]) < warmth(photo) - 0.1
    assert warmth(scenes["splashing_water"]) < warmth(photo)
    assert saturation(scenes["raining"]) < 0.5 * saturation(photo)


def test_branches_begin_on_lines_before_them() -> None:
    lines = [points for points, _ in bolt((0.8, 0.05), (0.9, 0.6), 12)]
    assert len(lines) >= 6
    assert lines[0][0].tolist() == pytest.approx([0.8, 0.05])
    assert lines[0][-1].tolist() == pytest.approx([0.9, 0.6])
    for i, branch in enumerate(lines[1:], 1):
        earlier = torch.cat(lines[:i])
        assert (earlier - branch[0]).norm(dim=1).min() < 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_lightning_is_one_bright_thing_that_branches(seed: int) -> None:
    view = look(landscape(160, 280))
    bright = drawn(view, bolt((0.8, 0.05), (0.9, 0.6), seed)) > 0.3
    reached = torch.zeros_like(bright)
    reached.view(-1)[int(bright.flatten().float().argmax())] = True
    for _ in range(400):
        reached = (F.max_pool2d(reached[None].float(), 3, 1, 1)[0] > 0) & bright
    assert reached.sum() > 0.97 * bright.sum()
    runs = (bright[:, 1:] & ~bright[:, :-1]).sum(1)
    assert int((runs >= 2).sum()) > 10
    assert bright.any(1).nonzero().max() > 0.58 * 160


def test_lightning_lights_clouds_and_ground() -> None:
    photo = landscape()
    view = look(photo)
    light = [(strikes(view, t / 20, 2 * 101)[2], t / 20) for t in range(80)]
    dark, lit = (draw(photo, LIGHTNING, 0.9, choose(light)[1], 2) for choose in (min, max))
    for rows in (slice(0, 40), slice(90, 128)):
        assert luma(lit[:, rows]) > 1.1 * luma(dark[:, rows])


def test_sky_and_horizon_are_found() -> None:
    view = look(landscape())
    assert view.sky[:40].mean() > 0.85
    assert view.sky[90:].mean() < 0.05
    assert 0.4 < view.horizon < 0.62
    assert view.air[2] > view.air[0]
    assert view.ground[1] > view.ground[2]
    assert look(torch.zeros(3, 64, 64)).horizon <= 0.62


def test_noise_has_no_seams() -> None:
    u = torch.linspace(-1.5, 2.5, 4001)
    field = noise(3, u[None], 0.2, 2.0)[0]
    assert field.diff().abs().max() < 0.03
    assert (field[:1001] - field[1000:2001]).abs().max() < 1e-3
    assert 0 <= field.min() <= field.max() <= 1


def test_stamps_add_and_are_cut_at_the_edges() -> None:
    at = torch.tensor([0.5, 0.5, 5.0, 0.0])
    canvas = stamp(
        (40, 60), at, at * 0 + 0.5, torch.tensor([1.0, 1.0, 1.0, 0.5]), torch.tensor([0.05, 0.05, 0.05, 0.2])
    )
    assert canvas.shape == (40, 60)
    assert canvas.max() == pytest.approx(2.0, abs=0.12)
    assert canvas[20, 0] == pytest.approx(0.5, abs=0.05)
    assert canvas[:, 45:].max() == 0


def test_contact_sheets(tmp_path: Path) -> None:
    photos = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for i, path in enumerate(photos):
        write_jpeg((landscape(90 + 60 * i, 160) * 255).to(torch.uint8), str(path))
    by_photo, by_time = write_sheets(photos, tmp_path / "sheets", 0.8, (64, 112))
    assert decode_image(str(by_photo)).shape == (3, 9 * 66 + 2, 2 * 114 + 2)
    assert decode_image(str(by_time)).shape == (3, 9 * 66 + 2, 6 * 114 + 2)
    before = by_photo.read_bytes()
    with pytest.raises(OutputError):
        write_sheets(photos[:1], tmp_path / "sheets", 0.8, (64, 112))
    assert by_photo.read_bytes() == before
    with pytest.raises(InputError):
        write_sheets([], tmp_path / "none")


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_unknown_class(strength: float) -> None:
    with pytest.raises(KeyError):
        draw(NOISE, "snow", strength, 0.0, 0)
