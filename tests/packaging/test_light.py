"""The light rooms of the engine: loading them, and what uses torch only when asked to, loads neither torch nor Qt."""

import subprocess
import sys
from pathlib import Path, PurePath
from typing import Any

# Rooms that reach torch when some of their functions are called, and must not when they are imported.
LAZY = {"cli", "editing", "inference", "pipeline", "renderer"}
# Modules that do import torch: the networks for training, for CUDA and for inversion.
TORCH = {
    *(f"inference.{name}" for name in ("cuda_backend", "cuda_graphs", "form_tuning", "torch_backend")),
    *(f"editing.{name}" for name in ("encoder", "inversion", "photo_code", "picture_file")),
    *(f"model.{name}" for name in (
        "backbone", "build", "equalised", "frame_encoder", "generator", "generator_folded", "generator_fused",
        "joint_embedding", "motion_rnn", "open_clip_towers", "sound_inversion", "stylegan3", "texture_statistics",
        "up_convolution",
    )),
}  # fmt: skip


def light_rooms(pyproject: dict[str, Any]) -> set[str]:
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    names = next(set(contract["source_modules"]) for contract in contracts if contract.get("id") == "light")
    inside = {name.removeprefix("sonorama.engine.") for name in names if name.startswith("sonorama.engine.")}
    return {name for name in inside if "." not in name}


def engine_modules(tracked: list[str]) -> set[str]:
    inside = {
        PurePath(name).with_suffix("").parts[1:]
        for name in tracked
        if name.startswith("engine/") and name.endswith(".py")
    }
    return {".".join(parts) for parts in inside if parts[-1] != "__init__"}


def test_every_room_has_its_half(tracked: list[str], pyproject: dict[str, Any]) -> None:
    rooms = {name.split(".")[0] for name in engine_modules(tracked)}
    assert rooms - {"model"} - LAZY == light_rooms(pyproject), "name it in pyproject.toml, contract `light`, or above"


def test_loading_them_loads_neither_torch_nor_qt(tracked: list[str], tmp_path: Path) -> None:
    modules = sorted(engine_modules(tracked) - TORCH)
    code = (
        f"import importlib, sys\nfor name in {modules}: importlib.import_module('sonorama.engine.' + name)\n"
        "print(*sorted({'torch', 'torchaudio', 'open_clip', 'onnxruntime', 'PyQt6'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
