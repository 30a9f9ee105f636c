"""Every kind of plug-in goes through one door: found, conflicts told, wrong interfaces refused."""

import importlib
import inspect
import typing
from collections.abc import Callable
from pathlib import Path

import pytest

from sonorama.engine.plugins import interfaces
from sonorama.engine.plugins.registry import KINDS, Kind, PluginUnknown, find, load, make, package_of
from sonorama.engine.plugins.survey import Answer, probe

Install = Callable[..., None]
WITHOUT_ANY_METHOD = "class Thing:\n    def __init__(self, *arguments): ...\n"
MADE = [kind for kind in KINDS if kind.factory]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs one module with one entry point, here and for child processes."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def install(kind: Kind, name: str, code: str, package: str = "stranger") -> None:
        module = f"{package}_{kind.group.removeprefix('sonorama.')}_{name}"
        info = tmp_path / f"{package}-2.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.0\n")
        (info / "entry_points.txt").write_text(f"[{kind.group}]\n{name} = {module}:Thing\n")
        (tmp_path / f"{module}.py").write_text(code)
        importlib.invalidate_caches()

    return install


def told(kind: Kind) -> Answer:
    """What `sonorama plugins` says of the stranger's plug-in: (state, about, what to do)."""
    (point,) = [point for point in find(kind) if package_of(point) == "stranger"]
    return probe([point])[id(point)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.title)
def test_one_that_does_not_load_is_listed_with_the_reason(kind: Kind, package: Install) -> None:
    package(kind, "torn", "import nowhere_to_be_found")
    assert told(kind)[:2] == (
        "broken", "it does not load: ModuleNotFoundError: No module named 'nowhere_to_be_found'",
    )  # fmt: skip
    with pytest.raises(PluginUnknown, match=f"The {kind.title} torn does not load") as caught:
        load(kind, "torn")
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.title)
def test_one_that_is_of_another_kind_is_listed_and_refused(kind: Kind, package: Install) -> None:
    package(kind, "odd", WITHOUT_ANY_METHOD)
    state, about, _ = told(kind)
    assert state == "broken" and f"(see {kind.protocol.__name__})" in about
    with pytest.raises(PluginUnknown, match=f"The {kind.title} odd is unusable") as caught:
        make(kind, "odd", *(kind.trial or ("",)))
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.title)
def test_what_cannot_be_called_is_refused(kind: Kind, package: Install) -> None:
    package(kind, "number", "Thing = 5")
    state, about, _ = told(kind)
    assert state == "broken" and "cannot be called" in about
    with pytest.raises(PluginUnknown, match="cannot be called"):
        load(kind, "number")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.title)
def test_a_name_of_ours_stays_ours(kind: Kind, package: Install) -> None:
    own = next(point for point in find(kind) if package_of(point) == "sonorama")
    package(kind, own.name, WITHOUT_ANY_METHOD, "aaa")
    assert [package_of(point) for point in find(kind) if point.name == own.name] == ["sonorama", "aaa"]
    assert load(kind, own.name) is own.load()


def test_every_interface_says_what_it_asks_for() -> None:
    for name in interfaces.__all__:
        one = getattr(interfaces, name)
        if inspect.isclass(one):
            assert inspect.getdoc(one), name
            for method, function in inspect.getmembers(one, inspect.isfunction):
                assert method.startswith("_") or inspect.getdoc(function), f"{name}.{method}"


@pytest.mark.parametrize("name", ["Array", "Pixels", "Samples"])
def test_array_types_are_real(name: str) -> None:
    """A plug-in without `from __future__ import annotations` evaluates its annotations, such as `Samples | None`."""
    assert type(None) in typing.get_args(getattr(interfaces, name) | None)
