"""Plug-ins of other packages: found, asked, and kept from harming anything else."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sonorama.engine.cli.main import main
from sonorama.engine.errors import SonoramaError
from sonorama.engine.plugins.registry import KINDS, SINKS, SOURCES, PluginUnknown, find, names, open_sink
from sonorama.engine.plugins.survey import Plugin, probe, survey

GOOD = """
from sonorama.engine.plugins.interfaces import Available

def probe():
    print("a driver that talks")
    return Available("two receivers")

class Sink:
    policy = "latest"
    about = ""
    def __init__(self, argument):
        self.argument = argument
    def open(self, info): ...
    def send(self, picture): ...
    def close(self): ...
"""
LACKING = """
from sonorama.engine.plugins.interfaces import Missing

def probe():
    return Missing("no runtime", "Get it from its makers.")
""" + GOOD[GOOD.index("\nclass Sink") :]

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a package with one module and entry points NAME=CODE on the path, here and for child processes."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def put(package: str, group: str = "sonorama.sinks", attribute: str = "Sink", **sinks: str) -> None:
        info = tmp_path / f"{package}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.5\n")
        lines = [f"{name} = {package}_{name}:{attribute}" for name in sinks]
        (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
        for name, code in sinks.items():
            (tmp_path / f"{package}_{name}.py").write_text(code)

    return put


def by_name(plugins: list[Plugin]) -> dict[str, Plugin]:
    return {one.name: one for one in plugins if one.package != "sonorama"}


def test_our_own_are_there_and_say_what_they_need() -> None:
    plugins = survey(timeout=120.0)
    assert {one.name for one in plugins if one.group == SINKS.group} >= {"map", "null"}
    assert {one.name for one in plugins if one.group == SOURCES.group} >= {"device", "file", "tone"}
    for one in plugins:
        assert one.state in ("available", "missing"), one
        assert bool(one.how_to_install) == (one.state == "missing"), one
        assert one.about, one


def test_another_packages_sink_is_found_asked_and_made(install: Install) -> None:
    install("glow", glow=GOOD)
    assert "glow" in names(SINKS) and "glow" not in names(SOURCES)
    label, make = open_sink("glow:left:2")
    assert label == "glow left:2"
    assert vars(make()) == {"argument": "left:2"}
    assert make() is not make()
    told = by_name(survey((SINKS,)))["glow"]
    assert told == Plugin("sonorama.sinks", "glow", "glow", "1.5", "glow_glow:Sink", "available", "two receivers")


def test_what_is_wrong_with_one_is_said_and_harms_no_other(install: Install) -> None:
    install(
        "bad",
        imports="import nowhere_to_be_found",
        leaves="import sys\nsys.exit(3)",
        empty="",
        lacks=LACKING,
        raises=GOOD.replace('print("a driver that talks")', 'raise OSError("no\\nbus")'),
        aborts=GOOD.replace('print("a driver that talks")', "import os; os.abort()"),
        unsure=GOOD[GOOD.index("class Sink") :],
        partial=GOOD.replace("def send", "def sent"),
        fine=GOOD,
    )
    told = by_name(survey((SINKS,)))
    wrong = {name: one.about for name, one in told.items() if one.state == "broken"}
    assert wrong == {
        "imports": "it does not load: ModuleNotFoundError: No module named 'nowhere_to_be_found'",
        "leaves": "it does not load: SystemExit: 3",
        "empty": "it does not load: AttributeError: module 'bad_empty' has no attribute 'Sink'",
        "raises": "its probe fails: OSError: no bus",
        "aborts": "its probe ended without an answer",
        "partial": "Sink has no method send (see FrameSink)",
    }
    assert all(told[name].how_to_install == "Install bad again." for name in wrong)
    assert told["lacks"].state == "missing"
    assert (told["lacks"].about, told["lacks"].how_to_install) == ("no runtime", "Get it from its makers.")
    assert told["unsure"].state == told["fine"].state == "available"
    for name in ("imports", "leaves", "empty"):
        with pytest.raises(PluginUnknown, match=f"The sink {name} does not load"):
            open_sink(name)
    assert open_sink("fine")[0] == "fine"
    assert open_sink("null")[0] == "null"


def test_a_probe_that_hangs_is_ended(install: Install) -> None:
    install("slow", hangs=GOOD.replace('print("a driver that talks")', "import time; time.sleep(600)"))
    began = time.monotonic()
    told = by_name(survey((SINKS,), timeout=1.0))
    late = told["hangs"]
    assert (late.state, late.about) == ("time-out", "its probe did not answer within 1 s")
    assert "Install" not in late.how_to_install
    assert time.monotonic() - began < 60


def test_of_two_with_one_name_ours_is_used(install: Install) -> None:
    install("thief", null=GOOD, own=GOOD)
    install("aaa", own=GOOD)
    told = [(one.name, one.package, one.state) for one in survey((SINKS,)) if one.name in ("null", "own")]
    assert told == [
        ("null", "sonorama", "available"), ("null", "thief", "hidden"),
        ("own", "aaa", "available"), ("own", "thief", "hidden"),
    ]  # fmt: skip
    assert type(open_sink("null")[1]()).__module__ == "sonorama.plugin.sinks.null"
    assert [point.value for point in find(SINKS) if point.name == "own"] == ["aaa_own:Sink", "thief_own:Sink"]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("nul", "Did you mean null?"),
        ("", "map, ndi, null"),
        ("quicksilver", "There are: "),
        ("null:5", "takes no argument"),
        ("map:a/b", "cannot name a show"),
        ("raises", "cannot be made: ZeroDivisionError"),
        ("lacking", "Sink has no method send (see FrameSink)"),
        ("fewer", "Sink.send takes other arguments than FrameSink.send"),
        ("policy", "Sink.policy is neither latest nor every"),
    ],
)
def test_wrong_sinks_are_two_lines(install: Install, spec: str, words: str) -> None:
    install(
        "odd",
        raises=GOOD.replace("self.argument = argument", "1 / 0"),
        lacking=GOOD.replace("def send", "def sent"),
        fewer=GOOD.replace("def send(self, picture)", "def send(self)"),
        policy=GOOD.replace('"latest"', '"some"'),
    )
    with pytest.raises(SonoramaError) as caught:
        open_sink(spec)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2


def test_the_command_lists_them(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON and as text; it loads none of them itself, so that one that ends its process does not end the command."""
    install("glow", glow=GOOD, torn="import nowhere_to_be_found")
    install("deadly", deadly="import os\nos._exit(9)")
    code = "from sonorama.engine.cli.main import main; import sys; sys.exit(main(['plugins', '--json']))"
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = {(one["group"], one["name"]): one for one in json.loads(done.stdout)}
    assert told["sonorama.sinks", "glow"]["state"] == "available"
    assert told["sonorama.sinks", "torn"]["state"] == "broken"
    assert told["sonorama.sinks", "deadly"]["about"] == "its probe ended without an answer"
    assert told["sonorama.sources", "silence"]["package"] == "sonorama"
    assert main(["plugins"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row for row in rows if not row.startswith(" ")] == [kind.heading for kind in KINDS]
    at = next(i for i, row in enumerate(rows) if row.split()[:1] == ["torn"])
    assert "broken" in rows[at] and "from glow 1.5" in rows[at]
    assert rows[at + 1].strip() == "Install glow again."


def test_the_command_lists_one_kind(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("glow", glow=GOOD)
    assert main(["plugins", "sinks"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row for row in rows if not row.startswith(" ")] == [SINKS.heading]
    spout = next(i for i, row in enumerate(rows) if row.split()[:1] == ["spout"])
    assert "missing" in rows[spout] and rows[spout + 1].strip(), "why, and how to get it"
    assert main(["plugins", "sink"]) == 2
    assert "There is no kind of plug-in called sink" in capsys.readouterr().err


def test_one_that_ends_its_process_costs_no_other_its_answer(install: Install) -> None:
    install("some", first=GOOD, second="import os\nos._exit(9)", third=GOOD)
    batch = [point for point in find(SINKS) if point.name in ("first", "second", "third")]
    assert [state for state, _, _ in probe(batch).values()] == ["available", "broken", "available"]
