"""Code names a parameter by a constant of engine/control/addresses.py, which is generated from the tables."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonorama.engine.cli.address_module import PAGE, as_python, constant
from sonorama.engine.control import addresses
from sonorama.engine.control.live_table import SHOW

GENERATED = "engine/control/addresses.py"
# Whole addresses of levels and modulators, put together from a number or a name.
COMPOSED = re.compile(r"f./(motion|moves|look|blend)/\{[^}]*\}/.+.")
# The tables name all of them; the page of OSC examples, tests and examples show them as a user writes them.
EXEMPT = (
    "engine/control/render_table.py",
    "engine/control/clock_table.py",
    "engine/control/live_table.py",
    "engine/control/sound_table.py",
    "engine/cli/osc_page.py",
    "examples/",
)


def spelled(source: str) -> Iterator[str]:
    """`line: address` of each parameter that a source spells, whole or in an f-string that composes one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and node.value in SHOW:
            yield f"{node.lineno}: {node.value}"
        elif isinstance(node, ast.JoinedStr) and COMPOSED.fullmatch(ast.unparse(node)):
            yield f"{node.lineno}: {ast.unparse(node)}"


def test_the_module_is_what_the_tables_generate() -> None:
    hint = "run: python -m sonorama.engine.cli.address_module"
    assert PAGE.read_text(encoding="utf-8") == as_python(SHOW), hint


@pytest.mark.parametrize("path", SHOW)
def test_every_parameter_has_a_name(path: str) -> None:
    group, at, *name = path.strip("/").split("/")
    if group == "axis":
        assert addresses.axis(int(at)) == path
    elif not name:
        assert getattr(addresses, constant(path)) == path
    elif group in ("moves", "meaning", "scene", "blend", "window"):
        assert vars(addresses)["modulator" if group == "moves" else group](int(at), *name) == path
    elif group == "motion":
        assert addresses.motion(at, *name) == path  # type: ignore[arg-type]
    elif group == "sound":
        assert path == (getattr(addresses, constant(path)) if at == "tempo" else addresses.drum(at, *name))  # type: ignore[arg-type]
    else:
        assert vars(addresses)["look_mix" if name == ["mix"] else f"look_level_{name[0]}"](at) == path


def test_other_modules_spell_no_address(root: Path, tracked: list[str]) -> None:
    sources = [name for name in tracked if name.endswith(".py") and not name.startswith(("tests/", GENERATED, *EXEMPT))]
    found = [f"{name}:{it}" for name in sources for it in spelled((root / name).read_text())]
    assert len(sources) > 100
    assert found == [], f"import the name from {GENERATED}"


@pytest.mark.parametrize(
    "source", ["values['/look/text']", "f'/motion/{level}/hold'", "f'/moves/{number}/{name}'", "f'/look/{level}/mix'"]
)
def test_a_spelled_address_is_seen(source: str) -> None:
    assert list(spelled(source))


@pytest.mark.parametrize(
    "source", ["path.startswith('/out/')", "GROUPS = ('/look/', '/motion/')", "f'/moves/{number}/'", "f'{at}/hold'"]
)
def test_a_prefix_is_allowed(source: str) -> None:
    assert not list(spelled(source))
