"""The commands of docs/film.md and farm.md do what the page says: each is run, shortened to a few frames."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..export.certificates import make_chain

ROOT = Path(__file__).parents[2]
PAGE = "".join((ROOT / "docs" / page).read_text() for page in ("film.md", "farm.md"))
SHORT = {
    "render": ["--duration", "0.2"],
    "watch": ["--duration", "0.2", "--settle", "0"],
    "curves": ["--duration", "1"],
}


def commands() -> Iterator[str]:
    """The lines of the page's shell fences; a line that ends in a backslash goes on in the next one."""
    for fence in re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        yield from (line for line in fence.replace("\\\n", " ").splitlines() if line.strip())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the page's commands find: recordings, and a folder with one of them."""
    (tmp_path / "bounces").mkdir()
    for name in ("rain.ogg", "fire.ogg"):
        shutil.copy2(ROOT / "examples" / name, tmp_path)
    shutil.copy2(ROOT / "examples" / "rain.ogg", tmp_path / "bounces")
    chain, key, _ = make_chain(tmp_path)
    chain.rename(tmp_path / "studio.pem")
    key.rename(tmp_path / "studio-key.pem")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", list(commands()))
def test_a_command_of_the_page_runs(line: str, project: Path) -> None:
    program, command, *arguments = shlex.split(line, comments=True)
    assert program == "sonorama"
    found = [str(Path(sys.executable).parent / program), command, *arguments, *SHORT.get(command, [])]
    done = subprocess.run(found, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    if "-o" in arguments:
        assert Path(arguments[arguments.index("-o") + 1]).exists()
    if "--timeline" in arguments:
        film = Path(arguments[arguments.index("-o") + 1])
        forms = arguments[arguments.index("--timeline") + 1].split(",")
        assert all(film.with_suffix(f".{form}").exists() for form in forms)


def test_the_page_has_commands() -> None:
    assert {line.split()[1] for line in commands()} >= {"render", "watch", "curves"}
