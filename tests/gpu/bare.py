"""A machine that lacks packages."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path


def bare_environment(folder: Path, absent: Iterable[str]) -> dict[str, str]:
    """The environment of a process in which these packages cannot be imported. folder: for what takes their place."""
    for name in absent:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"raise ImportError('{name} is not here')\n")
    return os.environ | {"PYTHON": sys.executable, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
