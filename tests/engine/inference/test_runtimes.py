"""Libraries that run networks report nothing to their makers, and leave no files for that."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
USE = """
import sys
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
world = load_world(sys.argv[1])
for device in ("cpu", "ort"):
    open_backend(world, device)
print(sorted(name for name, module in sys.modules.items() if module is not None))
"""


def test_neither_keeps_files_in_the_user_s_home(tiny_world: str, tmp_path: Path) -> None:
    cleared = {name: value for name, value in os.environ.items() if not name.startswith(("XDG", "CI", "ORT_"))}
    own = {**cleared, "HOME": str(tmp_path), "SONORAMA_CACHE": str(tmp_path / "own")}
    done = subprocess.run([sys.executable, "-c", USE, tiny_world], env=own, capture_output=True, text=True, check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["own"]
    assert "openvino_telemetry" not in done.stdout
    assert "openvino.tools.ovc.convert" not in done.stdout  # the converter, which costs a third of the import


def test_only_one_module_imports_them() -> None:
    direct = re.compile(r"^\s*(?:import|from) (?:onnxruntime|openvino)\b", re.MULTILINE)
    rooms = ("engine", "plugin", "ui", "export", "training", "examples")
    found = [path for room in rooms for path in (ROOT / room).rglob("*.py") if direct.search(path.read_text())]
    # The player of exported graphs runs where sonorama is not installed.
    assert sorted(path.name for path in found) == ["onnx_player.py", "runtimes.py"]
