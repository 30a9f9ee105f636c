"""The README's commands do what it says: each `sonorama` line is run, films and shows for some seconds; each `make`
target exists.
"""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHORT = {"render": ["--duration", "2"], "live": ["--duration", "3"]}
README = (ROOT / "README.md").read_text()


def commands(text: str, program: str) -> list[str]:
    """The fenced shell lines that start with this program; lines that end in a backslash are joined."""
    fences = re.findall(r"^```(?:bash|sh|shell|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(fences).replace("\\\n", " ").splitlines()
    stripped = [re.sub(r"^\$ ", "", line.strip()) for line in lines]
    return [line for line in stripped if line.split(" ")[0] == program]


def test_readme_shows_both_ways_in() -> None:
    targets = {word for line in commands(README, "make") for word in shlex.split(line, comments=True)[1:]}
    assert {"demo", "test"} <= targets
    known = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets <= known
    assert commands(README, "sonorama")


@pytest.mark.parametrize("line", commands(README, "sonorama"))
def test_readme_command_runs(line: str, tmp_path: Path) -> None:
    program, *arguments = shlex.split(line, comments=True)
    command = [str(Path(sys.executable).parent / program), *arguments, *SHORT.get(arguments[0], [])]
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for word in arguments:
        example = ROOT / "examples" / Path(word).name
        if "/" not in word and example.is_file():
            shutil.copy2(example, tmp_path)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    if "-o" in arguments:
        assert (tmp_path / arguments[arguments.index("-o") + 1]).exists()


def test_commands_are_found_in_fences_only() -> None:
    fence = "```bash\n$ sonorama render a.wav \\\n  -o b.mp4\nmake demo  # film\n```\n"
    text = f"sonorama no\n{fence}```python\nsonorama no\n```\n"
    found = [shlex.split(line) for line in commands(text, "sonorama")]
    assert found == [["sonorama", "render", "a.wav", "-o", "b.mp4"]]
    assert commands(text, "make") == ["make demo  # film"]
