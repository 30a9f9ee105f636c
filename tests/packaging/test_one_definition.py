"""The sample rate, the levels and the array types are defined once, in engine/units.py, and imported elsewhere."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

UNITS = "engine/units.py"
NUMBERS = {ast.dump(ast.parse(text, mode="eval").body) for text in ("44100", "44100.0", "('coarse', 'mid', 'fine')")}
TYPES = {f"{prefix}NDArray[np.{dtype}]" for prefix in ("", "npt.") for dtype in ("float32", "float64", "uint8")}
# `file: name` of module-level names that mean something else, although the value is the same.
OTHERS = set[str]()


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of a module, and those under its `if TYPE_CHECKING` or `try`."""
    for statement in body:
        yield statement
        for name in ("body", "orelse"):
            if isinstance(statement, ast.If | ast.Try):
                yield from statements(getattr(statement, name))


def shared(value: ast.expr | None) -> bool:
    """Whether an expression is a value that engine/units.py defines; types also when they are written as a string."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value in TYPES
    return value is not None and (ast.dump(value) in NUMBERS or ast.unparse(value) in TYPES)


def definitions(source: str) -> Iterator[str]:
    """Module-level names of a source that are given such a value."""
    for statement in statements(ast.parse(source).body):
        if isinstance(statement, ast.Assign) and shared(statement.value):
            yield from (ast.unparse(target) for target in statement.targets)
        elif isinstance(statement, ast.AnnAssign) and shared(statement.value):
            yield ast.unparse(statement.target)


def test_units_are_defined_once(root: Path, tracked: list[str]) -> None:
    sources = [name for name in tracked if name.endswith(".py") and not name.startswith("tests/")]
    found = {f"{name}: {it}" for name in sources if name != UNITS for it in definitions((root / name).read_text())}
    assert len(sources) > 100
    assert found == OTHERS, f"import them from {UNITS}"


@pytest.mark.parametrize(
    "source",
    [
        "RATE = 44_100",
        "RATE: int = 44100",
        "A = B = 44100.0",
        "LEVELS = ('coarse', 'mid', 'fine')",
        "Array = npt.NDArray[np.float32]",
        "Array: TypeAlias = 'npt.NDArray[np.float32]'",
        "if TYPE_CHECKING:\n    Pixels = NDArray[np.uint8]",
    ],
)
def test_a_second_definition_is_seen(source: str) -> None:
    assert list(definitions(source))


def test_other_values_pass() -> None:
    assert not list(
        definitions("HZ = (44100, 48000)\nRATE = 16_000\ndef f():\n    rate = 44100\nMask = npt.NDArray[np.bool_]")
    )
