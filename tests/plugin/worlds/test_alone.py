"""Two imports do not write one world."""

import subprocess
import sys
from pathlib import Path

import pytest

from sonorama.engine.errors import OutputError
from sonorama.plugin.worlds.alone import alone

OTHER = """
import sys
from pathlib import Path
from sonorama.engine.errors import OutputError
from sonorama.plugin.worlds.alone import alone
try:
    with alone(Path(sys.argv[1])):
        print("free")
except OutputError as error:
    print(error.message)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONORAMA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def of_another_process(out: Path) -> str:
    command = [sys.executable, "-c", OTHER, str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is locked there")
def test_another_process_is_refused_while_a_world_is_written(tmp_path: Path) -> None:
    out = tmp_path / "faces.safetensors"
    with alone(out):
        assert of_another_process(out) == f"{out} is being imported by another process"
        assert of_another_process(tmp_path / "other.safetensors") == "free"
        with pytest.raises(OutputError), alone(out):
            pass
    assert of_another_process(out) == "free"


def test_a_cache_is_never_a_must(tmp_path: Path, cache: Path) -> None:
    cache.write_text("no folder")
    with alone(tmp_path / "faces.safetensors"):
        pass
