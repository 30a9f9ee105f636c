"""requirements.lock and pyproject.toml agree, and the code imports nothing that is not declared."""

import ast
import re
import sys
from importlib.metadata import distributions, packages_distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sonorama.engine.errors import EXTRAS

PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def declared(pyproject: dict[str, Any], *extras: str) -> list[Requirement]:
    project = pyproject["project"]
    names = list(project["dependencies"])
    for extra in extras:
        names += [name for name in project["optional-dependencies"][extra] if not name.startswith("sonorama[")]
    return [Requirement(name) for name in names]


def test_lock_satisfies_every_requirement(root: Path, pyproject: dict[str, Any]) -> None:
    pins: dict[str, list[str]] = {}
    for name, version in PIN.findall((root / "requirements.lock").read_text()):
        pins.setdefault(canonicalize_name(name), []).append(version)
    wanted = declared(pyproject, "torch", "training") + [Requirement(r) for r in pyproject["dependency-groups"]["dev"]]
    unmet = [
        str(need)
        for need in wanted
        if not any(need.specifier.contains(version) for version in pins.get(canonicalize_name(need.name), []))
    ]
    assert unmet == [], "run `make lock`"


def test_lock_has_hashes_and_no_address(root: Path) -> None:
    text = (root / "requirements.lock").read_text()
    assert "://" not in text
    assert not re.search(r"--(extra-)?index-url|--find-links", text)
    for block in re.split(r"\n(?=\S)", text):
        assert not PIN.match(block) or "--hash=sha256:" in block, block


def imported(source: str) -> set[str]:
    """Top-level names of absolute imports, function-level ones too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def owners_of_modules() -> dict[str, list[str]]:
    """The packages of every module; Python 3.11 leaves out those that are one compiled file."""
    owners = {module: list(names) for module, names in packages_distributions().items()}
    for package in distributions():
        for file in package.files or ():
            if len(file.parts) == 1 and file.suffix in (".so", ".pyd"):
                owners.setdefault(file.name.split(".")[0], []).append(package.name)
    return owners


def test_every_import_is_declared(root: Path, tracked: list[str], pyproject: dict[str, Any]) -> None:
    owners = owners_of_modules()
    known = set(sys.stdlib_module_names) | {"sonorama"}
    undeclared: list[str] = []
    for name in tracked:
        folder = name.split("/")[0]
        if folder not in {"engine", "plugin", "ui", "export", "training"} or not name.endswith(".py"):
            continue
        if name.startswith("export/blender/extension/"):  # runs in Blender, which brings bpy
            continue
        extras = {
            "training": ("torch", "training"), "engine": ("torch", "training"), "export": ("film", "ray"),
            "plugin": ("gamepad", "link", "midi", "query", "torch"),
        }.get(folder, ())  # fmt: skip
        allowed = {canonicalize_name(need.name) for need in declared(pyproject, *extras)}
        undeclared += [
            f"{name}: {module}"
            for module in imported((root / name).read_text()) - known
            if not allowed & {canonicalize_name(owner) for owner in owners.get(module, [])}
        ]
    assert undeclared == []


def test_what_to_install_for_a_missing_module_is_right(pyproject: dict[str, Any]) -> None:
    owners = owners_of_modules()
    for module, extra in EXTRAS.items():
        names = {
            canonicalize_name(Requirement(name).name) for name in pyproject["project"]["optional-dependencies"][extra]
        }
        assert names & {canonicalize_name(owner) for owner in owners[module]}, module
    modules = {module for module, names in owners.items() if names and not module.startswith("_")}
    for need in set(declared(pyproject, "torch", "training")) - set(declared(pyproject)):
        provided = {m for m in modules if canonicalize_name(need.name) in map(canonicalize_name, owners[m])}
        assert provided & EXTRAS.keys(), need


def test_all_is_everything_that_may_be_passed_on(pyproject: dict[str, Any]) -> None:
    extras = pyproject["project"]["optional-dependencies"]
    own_licence = {"camera", "ndi"}  # GPL 2, proprietary: users install them themselves
    assert extras["all"] == [f"sonorama[{','.join(sorted(extras.keys() - {'all'} - own_licence))}]"]
