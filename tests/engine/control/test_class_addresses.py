"""Addresses of the meaning mixer by class: what is kept by class finds its slot in whatever world is played."""

import pytest

from sonorama.engine.control.assignments import parse
from sonorama.engine.control.class_addresses import by_class, by_slot, mixer, moved, parameter_of, parts, to_slot
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Value
from sonorama.engine.control.render_table import MEANING_SLOTS
from sonorama.engine.errors import ValueRefused

HERE, ELSEWHERE = ("rain", "wind", "fire"), ("fire", "sea", "rain")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/meaning/3/amount", ("3", "amount")),
        ("/meaning/fire_crackling/mute", ("fire_crackling", "mute")),
        ("/meaning/a/b/solo", ("a/b", "solo")),
        ("/meaning/3/label", None),
        ("/meaning/amount", None),
        ("/meaning//amount", None),
        ("/motion/coarse/amount", None),
    ],
)
def test_parts(path: str, found: tuple[str, str] | None) -> None:
    assert parts(path) == found


def test_every_slot_has_four_parameters() -> None:
    of_mixer = [path for path in SHOW if path.startswith("/meaning/")]
    assert len(of_mixer) == 4 * MEANING_SLOTS == 64
    assert all(parts(path) for path in of_mixer)


def test_a_class_stands_for_its_slot() -> None:
    assert to_slot("/meaning/fire/mute", HERE) == "/meaning/3/mute"
    assert to_slot("/meaning/2/mute", HERE) == "/meaning/2/mute"
    assert to_slot("/look/seed", HERE) == "/look/seed"
    with pytest.raises(ValueRefused, match="no class 'sea'") as refused:
        to_slot("/meaning/sea/mute", HERE)
    assert refused.value.hint == "Its classes are rain, wind, fire."


@pytest.mark.parametrize(
    ("sent", "hint"),
    [
        ("fire", "Did you mean /meaning/fire_crackling/floor?"),
        ("Raining", "Did you mean /meaning/raining/floor?"),
        ("RAIN", "Did you mean /meaning/raining/floor?"),
        ("thunderstom", "Did you mean /meaning/thunderstorm/floor?"),
        ("water", "Did you mean /meaning/waterfall/floor or /meaning/underwater/floor?"),
        ("dog", "Its classes are thunderstorm, raining, fire_crackling, waterfall, underwater."),
    ],
)
def test_an_unknown_class_gets_the_one_that_was_meant(sent: str, hint: str) -> None:
    with pytest.raises(ValueRefused) as refused:
        to_slot(f"/meaning/{sent}/floor", ("thunderstorm", "raining", "fire_crackling", "waterfall", "underwater"))
    assert refused.value.hint == hint


def test_classes_beyond_the_slots_have_none() -> None:
    many = tuple(f"class{n}" for n in range(MEANING_SLOTS + 1))
    assert to_slot(f"/meaning/{many[15]}/mute", many) == "/meaning/16/mute"
    with pytest.raises(ValueRefused):
        to_slot(f"/meaning/{many[16]}/mute", many)


def test_by_class_and_back() -> None:
    values: dict[str, Value] = {
        "/meaning/1/amount": 0.5,
        "/meaning/3/mute": True,
        "/meaning/4/mute": True,
        "/look/seed": 7,
    }
    kept = by_class(values, HERE)
    assert kept == {"/meaning/rain/amount": 0.5, "/meaning/fire/mute": True, "/look/seed": 7}
    assert by_slot(kept, HERE) == ({"/meaning/1/amount": 0.5, "/meaning/3/mute": True, "/look/seed": 7}, [])
    assert by_slot(kept, ("fire",)) == ({"/meaning/1/mute": True, "/look/seed": 7}, ["rain"])


def test_settings_follow_their_class_into_another_world() -> None:
    values = {path: param.default for path, param in SHOW.items()}
    values |= {"/meaning/1/amount": 0.5, "/meaning/2/floor": 0.25, "/meaning/3/mute": True}
    assert moved(values, mixer(values, HERE), ELSEWHERE, SHOW) == {
        "/meaning/1/amount": 1.0, "/meaning/1/mute": True, "/meaning/2/floor": 0.0, "/meaning/3/amount": 0.5,
        "/meaning/3/mute": False,
    }  # fmt: skip
    assert moved(values, mixer(values, HERE), HERE, SHOW) == {}


def test_the_target_of_a_modulator_is_kept_by_class() -> None:
    values: dict[str, Value] = {"/moves/1/target": "/meaning/3/amount", "/moves/2/target": "/look/drift"}
    kept = by_class(values, HERE)
    assert kept == {"/moves/1/target": "/meaning/fire/amount", "/moves/2/target": "/look/drift"}
    assert by_slot(kept, ELSEWHERE)[0] == {"/moves/1/target": "/meaning/1/amount", "/moves/2/target": "/look/drift"}
    assert by_slot(kept, ("rain",)) == ({"/moves/1/target": "none", "/moves/2/target": "/look/drift"}, ["fire"])


def test_a_modulator_follows_the_class_of_its_target() -> None:
    values = {path: param.default for path, param in SHOW.items()} | {"/moves/1/target": "/meaning/3/amount"}
    assert moved(values, mixer(values, HERE), ELSEWHERE, SHOW) == {"/moves/1/target": "/meaning/1/amount"}
    assert moved(values, mixer(values, HERE), ("sea",), SHOW) == {"/moves/1/target": "none"}


def test_the_parameter_of_a_class_is_that_of_a_slot() -> None:
    assert parameter_of("/meaning/fire/amount", SHOW) is SHOW["/meaning/1/amount"]
    assert parameter_of("/meaning/2/amount", SHOW) is SHOW["/meaning/2/amount"]
    assert parameter_of("/meaning/fire/label", SHOW) is None
    assert parameter_of("/nothing/fire/amount", SHOW) is None


def test_the_command_line_takes_classes() -> None:
    change = parse("/meaning/fire/amount=0.5", classes=lambda: HERE)
    assert (change.path, change.value) == ("/meaning/3/amount", 0.5)
    assert parse("/sonorama/meaning/wind/amount/norm=1", classes=lambda: HERE).path == "/meaning/2/amount"
    with pytest.raises(ValueRefused, match="no class 'sea'"):
        parse("/meaning/sea/amount=0.5", classes=lambda: HERE)
    with pytest.raises(ValueRefused, match="no parameter"):
        parse("/meaning/17/amount=0.5", classes=lambda: HERE)
