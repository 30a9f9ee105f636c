"""The flash guard: strobes come out within the limit as counted by another program, everything else untouched."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import av
import numpy as np
import pytest

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.picture.flash_guard import FlashGuard
from sonorama.engine.picture.output_controls import OutputControls
from sonorama.engine.units import Pixels

from .flash_analyser import flashes

SIDE = 48
WHITE, BLACK, GREY = (255, 255, 255), (0, 0, 0), (60, 60, 60)
RATES = (24, 30, 60, 120)
Colour = tuple[int, int, int]


def flat(colour: Colour, side: int = SIDE) -> Pixels:
    picture = np.full((side, side, 4), 255, np.uint8)
    picture[..., :3] = colour
    return picture


def strobe(
    hz: float, fps: int, seconds: float = 1.5, area: float = 1.0, ends: tuple[Colour, Colour] = (BLACK, WHITE)
) -> list[Pixels]:
    """A part of the picture that changes between two colours `hz` times a second and back, on grey."""
    both = [flat(GREY), flat(GREY)]
    for picture, colour in zip(both, ends, strict=True):
        picture[: round(SIDE * area), :, :3] = colour
    return [both[int(2 * hz * frame / fps) % 2] for frame in range(round(fps * seconds))]


def grey_film(fps: int, seconds: float, light: object) -> Iterator[Pixels]:
    """light(t, x, y) -> level 0..255, all of them arrays 0..1 (t a number of seconds)."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    for frame in range(round(fps * seconds)):
        picture = flat(BLACK)
        picture[..., :3] = np.clip(np.broadcast_to(light(frame / fps, x, y), (SIDE, SIDE)), 0, 255)[..., None]  # type: ignore[operator]
        yield picture


def guarded(pictures: Sequence[Pixels], fps: float) -> list[Pixels]:
    guard = FlashGuard()
    return [guard.apply(picture, 1 / fps) for picture in pictures]


def untouched(before: Sequence[Pixels], after: Sequence[Pixels]) -> bool:
    return all(one is other for one, other in zip(before, after, strict=True))


def held_to_the_limit(pictures: Sequence[Pixels], fps: int) -> None:
    """More flashes than allowed go in, no more than three a second come out."""
    copies = [picture.copy() for picture in pictures]
    assert max(flashes(pictures, fps).values()) > 3, "the test must offer too many"
    shown = guarded(pictures, fps)
    assert max(flashes(shown, fps).values()) <= 3
    assert all((picture == copy).all() for picture, copy in zip(pictures, copies, strict=True))
    assert all((picture[..., 3] == 255).all() for picture in shown)


@pytest.mark.parametrize(("hz", "fps"), [(hz, fps) for fps in RATES for hz in (30, 15, 10, 5) if 2 * hz <= fps])
def test_strobes_are_held_to_three_flashes_a_second(hz: int, fps: int) -> None:
    held_to_the_limit(strobe(hz, fps), fps)


@pytest.mark.parametrize("area", [0.75, 0.5, 0.3])
@pytest.mark.parametrize(("hz", "fps"), [(30, 60), (5, 30), (10, 24)])
def test_strobes_of_a_part_of_the_picture_too(hz: int, fps: int, area: float) -> None:
    held_to_the_limit(strobe(hz, fps, area=area), fps)


@pytest.mark.parametrize("fps", [24, 60])
@pytest.mark.parametrize(
    "ends",
    [
        (BLACK, (90, 90, 90)), ((150, 150, 150), (186, 186, 186)), (BLACK, (255, 0, 0)), ((0, 0, 255), (200, 0, 0)),
        ((96, 96, 96), (200, 0, 0)), (BLACK, (110, 0, 0)), ((0, 140, 0), (255, 0, 0)), ((0, 0, 255), (255, 255, 0)),
    ],
    ids=str,
)  # fmt: skip
def test_dim_coloured_and_red_strobes_too(ends: tuple[Colour, Colour], fps: int) -> None:
    held_to_the_limit(strobe(6, fps, ends=ends), fps)


FILMS = {
    "halves in turn": lambda t, x, y: 255 * ((x < 0.5) ^ (int(16 * t) % 2 == 1)),
    "thirds in turn": lambda t, x, y: 255 * ((x * 3).astype(int) == int(20 * t) % 3),
    "quarters in turn": lambda t, x, y: 255 * ((x >= 0.5) * 1 + (y >= 0.5) * 2 == int(24 * t) % 4),
    "squares that swap": lambda t, x, y: 255 * ((x * 8).astype(int) + (y * 8).astype(int) + int(11 * t)) % 510,
    "sine": lambda t, x, y: 127 + 127 * np.sin(2 * np.pi * 7 * t),
    "travelling wave": lambda t, x, y: 127 + 127 * np.sin(2 * np.pi * (6 * t + 2 * x)),
    "stripes": lambda t, x, y: 255 * ((6 * x + 14 * t) % 2 < 1),
    "saw": lambda t, x, y: 255 * (5 * t % 1),
    "short pulses": lambda t, x, y: 255 * (8 * t % 1 < 0.2),
    "unevenly": lambda t, x, y: 255 * x * (int(10 * t) % 2),
}  # fmt: skip


@pytest.mark.parametrize("fps", [24, pytest.param(60, marks=pytest.mark.soak)])
@pytest.mark.parametrize("name", FILMS)
def test_whatever_the_pattern(name: str, fps: int) -> None:
    held_to_the_limit(list(grey_film(fps, 1.5, FILMS[name])), fps)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_comes_by_chance(seed: int) -> None:
    """Levels, colours and blocks at random, with cuts, each for some frames."""
    random = np.random.default_rng(seed)
    pictures = []
    for _ in range(60):
        cells = int(random.choice([1, 1, 2, 6]))
        colours = random.integers(0, 256, (cells, cells, 3)) * random.choice([[1, 1, 1], [1, 0, 0], [0.3, 0.3, 0.3]])
        picture = flat(BLACK)
        picture[..., :3] = colours.astype(np.uint8).repeat(SIDE // cells, 0).repeat(SIDE // cells, 1)
        pictures += [picture] * int(random.integers(1, 4))
    held_to_the_limit(pictures, 30)


@pytest.mark.parametrize("fps", [24, 30, 60, 120])
@pytest.mark.parametrize("hz", [1, 2, 3])
def test_slow_strobes_pass_untouched(hz: float, fps: int) -> None:
    pictures = strobe(hz, fps, seconds=3)
    assert untouched(pictures, guarded(pictures, fps))
    assert flashes(pictures, fps)["light"] <= 3


@pytest.mark.parametrize(
    ("area", "ends"),
    [(0.15, (BLACK, WHITE)), (1.0, ((232, 232, 232), WHITE)), (1.0, (GREY, (75, 75, 75))), (0.2, (BLACK, (255, 0, 0)))],
)
def test_strobes_that_are_small_bright_or_faint_pass_untouched(area: float, ends: tuple[Colour, Colour]) -> None:
    pictures = strobe(10, 60, area=area, ends=ends)
    assert max(flashes(pictures, 60).values()) == 0
    assert untouched(pictures, guarded(pictures, 60))


def test_fades_cuts_and_motion_pass_untouched() -> None:
    fade = list(grey_film(60, 4, lambda t, x, y: 127 - 127 * np.cos(2 * np.pi * t)))
    ball = list(grey_film(60, 3, lambda t, x, y: 255 * (np.hypot(x - t % 1, y - 0.5) < 0.2)))
    wipe = list(grey_film(60, 3, lambda t, x, y: 255 * (x < t % 1.0)))
    cuts = [flat((value * 97 % 256, 90, value * 41 % 256)) for value in range(6) for _ in range(30)]
    for film in (fade, ball, wipe, cuts):
        assert untouched(film, guarded(film, 60))


@pytest.mark.parametrize(("fps", "grain"), [(24, 20), (60, 12)])
def test_film_with_grain_flicker_and_a_moving_camera_passes_untouched(fps: int, grain: int) -> None:
    """Two seconds of camera over the pictures of a world, with grain and an uneven shutter as of old film."""
    with av.open(Path(__file__).parents[3] / "docs" / "shore.png") as file:
        whole = next(file.decode(video=0)).to_ndarray(format="rgb24").astype(np.float32)
    random = np.random.default_rng(0)
    pictures = []
    for frame in range(2 * fps):
        at = round(frame * 60 / fps)
        seen = whole[20 : 20 + 192, at : at + 192] * random.normal(1, 0.01) + random.normal(0, grain, (192, 192, 3))
        picture = flat(BLACK, 192)
        picture[..., :3] = np.clip(seen, 0, 255)
        pictures.append(picture)
    assert untouched(pictures, guarded(pictures, fps))


def test_the_rest_of_a_picture_waits_no_longer_than_a_second() -> None:
    pictures = [*strobe(15, 60, seconds=1), *[flat(WHITE)] * 90]
    shown = guarded(pictures, 60)
    last = max(frame for frame, picture in enumerate(shown) if picture is not pictures[frame])
    assert last < 60 + 65


def test_held_pictures_come_as_near_as_they_may() -> None:
    """The first picture of a strobe that is held back is not simply the one before."""
    pictures = strobe(15, 60)
    shown = guarded(pictures, 60)
    held = [frame for frame, picture in enumerate(shown) if picture is not pictures[frame]]
    assert held
    levels = [float(picture[..., 0].mean()) for picture in shown]
    assert all(min(levels[frame - 1], GREY[0]) <= levels[frame] <= 255 for frame in held)
    first = held[0]
    assert 0 < abs(levels[first] - levels[first - 1]) < 60


def test_the_same_pictures_give_the_same_pictures() -> None:
    pictures = list(grey_film(30, 1.5, FILMS["travelling wave"]))
    once, again = guarded(pictures, 30), guarded(pictures, 30)
    assert all((one == other).all() for one, other in zip(once, again, strict=True))


def test_what_comes_later_changes_nothing_before() -> None:
    pictures = list(grey_film(30, 1.5, FILMS["halves in turn"]))
    other = [*pictures[:25], *[flat(WHITE)] * 20]
    pairs = itertools.islice(zip(guarded(pictures, 30), guarded(other, 30), strict=True), 25)
    assert all((one == two).all() for one, two in pairs)


def test_a_change_of_size_hides_no_flash() -> None:
    small, large = [flat(BLACK, 48), flat(WHITE, 48)], [flat(BLACK, 64), flat(WHITE, 64)]
    pictures = [(small, large)[frame // 7 % 2][frame % 2] for frame in range(60)]
    shown = guarded(pictures, 30)
    assert [picture.shape for picture in shown] == [picture.shape for picture in pictures]
    assert max(flashes(shown, 30).values()) <= 3


class TestInTheShow:
    """The guard where it stands: after master, freeze and flip, beside blackout."""

    values: ClassVar = {path: param.default for path, param in SHOW.items() if path.startswith("/out/")}

    def film(self, pictures: Sequence[Pixels | None], fps: int, **changes: Sequence[object]) -> list[Pixels]:
        finish, shown = OutputControls(SIDE, SIDE), []
        for frame, picture in enumerate(pictures):
            values = {**self.values, **{f"/out/{name}": steps[frame] for name, steps in changes.items()}}
            shown.append(finish.apply(picture, values, 50 + frame / fps, 1 / fps))
        return shown

    def test_blackouts_by_hand_pass_at_once_however_many(self) -> None:
        black = [frame // 4 % 2 == 1 for frame in range(120)]
        shown = self.film([flat(WHITE)] * 120, 60, blackout=black)
        assert all((picture[..., :3] == 0).all() for picture, dark in zip(shown, black, strict=True) if dark)

    def test_two_blackouts_by_hand_are_let_back_at_once(self) -> None:
        black = [frame // 15 % 2 == 1 for frame in range(60)]
        white = flat(WHITE)
        shown = self.film([white] * 60, 30, blackout=black)
        assert all(picture is white for picture, dark in zip(shown, black, strict=True) if not dark)

    def test_a_master_that_flickers_is_held(self) -> None:
        master = [float(frame // 3 % 2) for frame in range(90)]
        shown = self.film([flat((200, 200, 200))] * 90, 60, master=master)
        assert max(flashes(shown, 60).values()) <= 3

    def test_a_renderer_that_stutters_makes_no_flashes_of_its_own(self) -> None:
        pictures = [picture if frame % 3 else None for frame, picture in enumerate(strobe(2, 30, seconds=2))]
        shown = self.film(pictures, 30)
        assert max(flashes(shown, Fraction(30)).values()) <= 2

    def test_ticks_that_come_in_a_rush_do_not_let_flashes_through(self) -> None:
        """Nominal time says thirty a second, the clock says six times as fast."""
        finish, white, dark = OutputControls(SIDE, SIDE), flat(WHITE), flat(BLACK)
        shown = [finish.apply((white, dark)[frame % 2], self.values, 50 + frame / 180, 1 / 30) for frame in range(180)]
        assert max(flashes(shown, 180).values()) <= 3

    def test_switched_off_it_lets_everything_through(self) -> None:
        pictures = strobe(10, 60)
        assert untouched(pictures, self.film(pictures, 60, flash_guard=[False] * len(pictures)))
