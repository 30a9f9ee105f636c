"""docs/live.md: what it says to type can be typed. Shows are made, but not started; takes are rendered elsewhere."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sonorama.engine.cli.main import build_parser
from sonorama.engine.control.accept import valid_change
from sonorama.engine.control.class_addresses import to_slot
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change
from sonorama.engine.model.world_file import classes_of
from sonorama.engine.osc.counters import OscCounters
from sonorama.engine.osc.routing import Router
from sonorama.engine.show.command import plan_of
from sonorama.engine.show.show import Show

from .test_readme import ROOT, commands

PAGE = (ROOT / "docs" / "live.md").read_text()
LINES = [*dict.fromkeys(shlex.join(shlex.split(line, comments=True)) for line in commands(PAGE, "sonorama"))]
OSC = commands(PAGE, "oscsend")
RUN = ("doctor", "plugins")


def words(line: str) -> list[str]:
    """What the shell makes of a line, less the program."""
    return shlex.split(line, comments=True)[1:]


def test_the_page_shows_how() -> None:
    typed = {words(line)[0] for line in LINES}
    assert {"doctor", "live", "view", "plugins", "render"} <= typed
    assert sum("--sink" in line or "--record" in line for line in LINES) >= 3
    assert OSC
    targets = {word for line in commands(PAGE, "make") for word in words(line)} | {"live-demo"}
    known = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets <= known


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", PAGE))
def test_links_lead_somewhere(link: str) -> None:
    file, _, heading = link.partition("#")
    page = ROOT / "docs" / (file or "live.md")
    assert page.exists()
    if heading:
        titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
        assert heading in [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]


@pytest.mark.parametrize("line", LINES)
def test_every_line_can_be_typed(line: str, tiny_world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONORAMA_LOOKS", str(tmp_path / "looks"))
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    args = build_parser().parse_args(words(line))
    (tmp_path / "gallery.json").write_text('{"cues": [{"number": 1, "wait": 5}]}')
    if words(line)[0] == "live" and not args.resume:  # there is no show that was killed; tests/live/test_resume.py
        plan = replace(plan_of(args), name=f"page-{os.getpid()}", world=tiny_world, osc_port=0, osc_host="127.0.0.1")
        Show(plan).close()
    elif words(line)[0] in RUN:
        done = subprocess.run(
            [Path(sys.executable).with_name("sonorama"), *words(line)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", OSC)
def test_every_message_is_taken(line: str) -> None:
    _, _, address, *typed = words(line)
    types = {"i": int, "f": float, "s": str}
    arguments = [types[tag](value) for tag, value in zip(*(typed[:1], typed[1:]), strict=True)]
    tally, classes = OscCounters(), classes_of("shore")

    def accept(path: str, value: object, source: str) -> Change:  # as a show does
        return valid_change(SHOW, to_slot(path, classes), value, source)

    accepted = list(Router(SHOW, tally, accept).changes(address, arguments, ("127.0.0.1", 5000)))
    assert [one.change.path for one in accepted] == [to_slot(address.removeprefix("/sonorama"), classes)]
    assert not any(tally.counts.values())
