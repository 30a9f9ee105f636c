"""What the options of `sonorama render` mean."""

from fractions import Fraction

import pytest

from sonorama.engine.cli.arguments import parse_size
from sonorama.engine.cli.main import build_parser
from sonorama.engine.control.live_table import FILM
from sonorama.engine.errors import ValueRefused
from sonorama.export.commands import parse_fps, start_values


@pytest.mark.parametrize(
    ("text", "fps"),
    [
        ("30", Fraction(30)),
        ("25", Fraction(25)),
        ("12.5", Fraction(25, 2)),
        ("30000/1001", Fraction(30000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("119.88", Fraction(120000, 1001)),
        ("29.9", Fraction(299, 10)),
        ("30.0", Fraction(30)),
        ("24", Fraction(24)),
    ],
)
def test_frame_rates_are_exact(text: str, fps: Fraction) -> None:
    assert parse_fps(text) == fps


@pytest.mark.parametrize("text", ["0", "-30", "0.5", "241", "1e9", "30/0", "nan", "inf", "fast", "", "30 000"])
def test_impossible_frame_rates(text: str) -> None:
    with pytest.raises(ValueRefused, match="--fps"):
        parse_fps(text)


@pytest.mark.parametrize(
    ("text", "size"), [("1920x1080", (1920, 1080)), ("16X8192", (16, 8192)), ("255x255", (255, 255))]
)
def test_sizes(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["0x0", "1920", "1920x0", "x", "-2x4", "1920x1080x3", "8193x16", "1.5x2", "²x²", ""])
def test_impossible_sizes(text: str) -> None:
    with pytest.raises(ValueRefused, match="--size"):
        parse_size(text)


def values_of(*options: str) -> dict[str, float | int | bool | str]:
    return start_values(build_parser().parse_args(["render", "rain.wav", "-o", "film.mp4", *options]))


def test_values_default_to_the_table() -> None:
    assert values_of() == {path: param.default for path, param in FILM.items()}


def test_shorthands_are_addresses_and_set_wins() -> None:
    assert values_of("--seed", "7", "--text", "a=b")["/look/seed"] == 7
    assert values_of("--seed", "7", "--text", "a=b")["/look/text"] == "a=b"
    assert values_of("--seed", "7", "--set", "/look/seed=8")["/look/seed"] == 8


def test_the_last_set_wins_and_all_forms_count() -> None:
    values = values_of(
        "--set", "/motion/fine/amount=0.5",
        "--set", "/sonorama/motion/fine/amount=0.25",
        "--set", "/motion/mid/amount/norm=0.75",
        "--set", "/motion/coarse/mute=on",
        "--set", "/motion/mode=literal",
    )  # fmt: skip
    assert values["/motion/fine/amount"] == 0.25
    assert values["/motion/mid/amount"] == 1.5
    assert values["/motion/coarse/mute"] is True
    assert values["/motion/mode"] == "literal"
