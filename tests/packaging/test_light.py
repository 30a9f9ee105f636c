"""The light half of the engine: named in full, and loading it loads neither torch nor Qt."""

import subprocess
import sys
from pathlib import Path, PurePath
from typing import Any

# What of the engine may import torch; whatever else is in the engine belongs to the light contract.
HEAVY = {"hear", "model", "renderer"}
# These reach torch when they are used, and must not when they are loaded.
LAZY = {
    "backend", "checks", "commands", "listen", "openvino_backend", "performance", "player", "playerstate",
    "prompt",
}  # fmt: skip


def light_modules(pyproject: dict[str, Any]) -> set[str]:
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    return next(set(contract["source_modules"]) for contract in contracts if contract.get("id") == "light")


def test_every_engine_module_has_its_half(tracked: list[str], pyproject: dict[str, Any]) -> None:
    inside = {PurePath(name).parts[1] for name in tracked if name.startswith("engine/") and name.endswith(".py")}
    modules = {name.removesuffix(".py") for name in inside} - {"__init__"}
    light = {name.split(".")[2] for name in light_modules(pyproject) if name.startswith("sonorama.engine.")}
    assert modules - HEAVY - LAZY == light, "name it in pyproject.toml, contract `light`, or above"


def test_loading_them_loads_neither_torch_nor_qt(root: Path, pyproject: dict[str, Any], tmp_path: Path) -> None:
    lazy = {f"sonorama.engine.{name}" for name in LAZY if (root / "engine" / f"{name}.py").exists()}
    modules = sorted(light_modules(pyproject) - {"sonorama.ui"} | lazy)
    code = (
        f"import importlib, sys\nfor name in {modules}: importlib.import_module(name)\n"
        "print(*sorted({'torch', 'torchaudio', 'open_clip', 'onnxruntime', 'PyQt6'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
