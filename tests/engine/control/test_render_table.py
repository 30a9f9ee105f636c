"""What holds for every control of the instrument."""

import hashlib
import math
import re
from pathlib import Path

import pytest

from sonorama.engine.cli import reference_pages
from sonorama.engine.control import assignments
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameter_state import ParameterState
from sonorama.engine.control.parameters import Change, Parameter
from sonorama.engine.control.render_table import TABLE
from sonorama.engine.errors import ValueRefused
from sonorama.engine.units import LEVELS

every = pytest.mark.parametrize("param", TABLE.values(), ids=TABLE)
continuous = pytest.mark.parametrize("param", [p for p in TABLE.values() if p.kind == "float"], ids=lambda p: p.path)


def another(param: Parameter) -> float | int | bool | str:
    """An allowed value that is not the default."""
    if param.kind == "choice":
        return next(choice for choice in param.choices if choice != param.default)
    if param.kind == "switch":
        return not param.default
    if param.kind == "text":
        return "a storm over the sea"
    return param.low if param.default != param.low else param.clip(param.high)


def seen(params: ParameterState, param: Parameter, dt: float) -> float:
    """Effective value of a number after a step."""
    value = params.step(dt)[param.path]
    assert not isinstance(value, str)
    return value


@every
def test_specification_is_whole(param: Parameter) -> None:
    assert TABLE[param.path] is param
    assert re.fullmatch(r"(/[a-z0-9_]+){2,3}", param.path)
    assert param.doc.endswith(".")
    assert param.clip(param.default) == param.default
    assert type(param.clip(param.default)) is type(param.default)
    assert param.low < param.high
    assert param.curve == "linear" or param.low > 0
    assert param.glide == 0 or param.kind == "float"
    assert not param.path.endswith("/norm")


@every
def test_posted_value_arrives(param: Parameter) -> None:
    params = ParameterState(TABLE)
    value = another(param)
    params.post(Change(param.path, value, "test"))
    for _ in range(300):
        params.step(1 / 30)
    assert params.step(1 / 30) == {**{path: p.default for path, p in TABLE.items()}, param.path: value}


@every
def test_wrong_type_is_refused(param: Parameter) -> None:
    wrong: float | str = 1.0 if param.kind in ("choice", "text") else "loud"
    with pytest.raises(ValueRefused, match=re.escape(param.path)):
        param.clip(wrong)


@pytest.mark.parametrize("param", [p for p in TABLE.values() if p.kind in ("float", "int")], ids=lambda p: p.path)
@pytest.mark.parametrize("value", [-math.inf, -1e30, 1e30, math.inf])
def test_number_stays_in_range(param: Parameter, value: float) -> None:
    params = ParameterState(TABLE)
    params.post(Change(param.path, param.clip(value), "test"))
    for _ in range(200):
        assert param.low <= seen(params, param, 1.0) <= param.high
    assert seen(params, param, 1.0) == (param.low if value < 0 else param.high)


@pytest.mark.parametrize("param", [p for p in TABLE.values() if p.kind in ("float", "int")], ids=lambda p: p.path)
def test_not_a_number_is_refused(param: Parameter) -> None:
    with pytest.raises(ValueRefused):
        param.clip(math.nan)


@continuous
def test_modulation_adds_and_clips(param: Parameter) -> None:
    params = ParameterState(TABLE)
    middle = param.from_norm(0.5)
    params.post(Change(param.path, middle, "test"))
    while params.step(1.0)[param.path] != middle:
        pass
    params.modulate({param.path: 0.001})
    assert seen(params, param, 1.0) == pytest.approx(param.from_norm(0.501))
    params.modulate({param.path: 10.0})
    assert seen(params, param, 1.0) == param.high
    params.modulate({param.path: -10.0})
    assert seen(params, param, 1.0) == param.low
    params.modulate({})
    assert seen(params, param, 1.0) == middle


@continuous
def test_norm_is_the_position_along_the_curve(param: Parameter) -> None:
    assert param.from_norm(0.0) == param.low
    assert param.from_norm(1.0) == pytest.approx(param.high)
    positions = [i / 16 for i in range(17)]
    naturals = [param.from_norm(position) for position in positions]
    assert naturals == sorted(naturals)
    assert all(param.low <= natural <= param.high for natural in naturals)
    assert [param.to_norm(natural) for natural in naturals] == pytest.approx(positions)


@every
def test_command_line_reaches_it_by_both_addresses(param: Parameter) -> None:
    value = another(param)
    text = str(int(value)) if isinstance(value, bool) else str(value)
    for prefix in ("", "/sonorama"):
        assert assignments.parse(f"{prefix}{param.path}={text}").path == param.path
        assert assignments.parse(f"{prefix}{param.path}={text}").value == value


def test_levels_have_the_same_controls() -> None:
    names = [{path.rsplit("/", 1)[1] for path in TABLE if path.startswith(f"/motion/{level}/")} for level in LEVELS]
    assert names[0] == names[1] == names[2]
    assert len(names[0]) == 7


def test_reference_page_is_up_to_date() -> None:
    page = Path(__file__).parents[3] / "docs" / "parameters.md"
    hint = "run: sonorama parameters --markdown > docs/parameters.md"
    assert page.read_text(encoding="utf-8") == reference_pages.as_markdown(), hint


def test_the_show_s_table_holds_the_film_s_and_more() -> None:
    assert {path: SHOW[path] for path in TABLE} == dict(TABLE)
    for path, param in SHOW.items():
        assert (param.path, param.clip(param.default)) == (path, param.default)


@pytest.mark.parametrize("path", ["/out/record", "/scene/recall", "/engine/world", "/sound/tap"])
def test_a_film_does_not_take_what_only_a_show_has(path: str) -> None:
    with pytest.raises(ValueRefused, match=f"{path} is a parameter of shows: a film has none"):
        assignments.parse(f"{path}=1")


def test_targets_of_modulators_keep_their_numbers() -> None:
    """OSC, takes and maps of controllers may name a target by its number: new ones are added at the end."""
    targets = SHOW["/moves/1/target"].choices
    first = "\n".join(targets[:128])
    assert targets[127] == "/blend/8/y"
    assert hashlib.sha256(first.encode()).hexdigest()[:16] == "006845ad47073325"
    assert {"/axis/1", "/look/place", "/look/turn"} <= {*targets[128:]}
