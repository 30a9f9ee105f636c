"""What a show keeps to be resumed, and what a new one makes of it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from sonorama.engine.control.cues import Cue, CueList
from sonorama.engine.control.events import ShowEvents
from sonorama.engine.control.parameters import Change
from sonorama.engine.control.scenes import SceneBank
from sonorama.engine.errors import OutputError, SonoramaError
from sonorama.engine.faults import Faults
from sonorama.engine.ipc.messages import Status
from sonorama.engine.ipc.shared_paths import shared_path, write_private
from sonorama.engine.show.control_state import ControlState
from sonorama.engine.show.plan import ShowPlan
from sonorama.engine.show.resume import ResumeRecord, differences, offer, resumed, take_over

NAME = f"resume-{os.getpid()}"
OPTIONS: dict[str, Any] = {
    "renderer": "test-pattern", "osc_port": 9200, "osc_out": 0, "osc_host": "127.0.0.2", "osc_allow": ("10.0.0.1",),
}  # fmt: skip


@pytest.fixture(autouse=True)
def shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONORAMA_SHOWS", str(tmp_path / "shows"))
    return tmp_path / "shows"


def kept(world: str, tmp_path: Path, *changes: Change, write: Callable[..., None] | None = None) -> ResumeRecord:
    """A show of this process that kept some changes."""
    faults = Faults()
    events = ShowEvents(faults)
    scenes = SceneBank(tmp_path / "none")
    state = ControlState({"/engine/world": world}, scenes, faults.note, lambda *_: None, ("rain", "wind", "fire"))
    plan = ShowPlan(NAME, "tone:90", world, sinks=("null",), **OPTIONS)
    record = ResumeRecord(plan, state, events, write or (lambda _, job: job()))
    for change in changes:
        state.take(change)
    events.changed.publish(changes)
    events.status.publish(Status())
    return record


def killed(shows: Path, **other: Any) -> None:
    """As if its process had been killed."""
    path = shows / f"{NAME}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pid": 0, **other}))


def test_a_killed_show_is_taken_over_once(shows: Path, tiny_world: str, tmp_path: Path) -> None:
    assert not take_over(NAME)
    kept(tiny_world, tmp_path, Change("/look/seed", 5, "t"), Change("/meaning/2/amount", 0.5, "t"),
         Change("/out/record", True, "t"), Change("/out/blackout", True, "t"))  # fmt: skip
    assert not take_over(NAME), "its owner, this process, lives"
    killed(shows)
    state = {"frame": 70, "sample": 90_000, "params": {"target": {"/look/seed": 4, "/engine/world": "x"}}}
    data = save({"x": np.zeros(2)}, {"format": "sonorama-player", "state": json.dumps(state)})
    shared = shared_path(f"{NAME}.state")
    write_private(shared, data)
    assert take_over(NAME)
    shared.unlink()
    assert not take_over(NAME)
    assert f"sonorama live --resume --name {NAME}" in offer(NAME)
    plan = resumed(ShowPlan(NAME, ""), {}, None)
    assert (plan.world, plan.source, plan.sinks, plan.resumed) == (tiny_world, "tone:90", ("null",), True)
    assert plan.values["/look/seed"] == 5
    assert plan.values["/meaning/2/amount"] == 0.5
    assert {"/out/record", "/out/blackout", "/engine/world"}.isdisjoint(plan.values)
    assert plan.motion is not None
    assert (plan.motion.frame, plan.motion.sample) == (70, 90_000)
    assert differences(plan.motion, plan.values) == [Change("/look/seed", 5, "resume")]


def test_the_command_line_comes_first(shows: Path, tiny_world: str, tmp_path: Path) -> None:
    kept(tiny_world, tmp_path, Change("/look/seed", 5, "t"))
    killed(shows)
    take_over(NAME)
    plan = resumed(ShowPlan(NAME, "silence", sinks=("map",)), {"/look/seed": 9}, None)
    assert (plan.values["/look/seed"], plan.source, plan.sinks) == (9, "silence", ("map",))
    assert plan.motion is None
    assert {name: getattr(plan, name) for name in OPTIONS} == OPTIONS
    named = resumed(ShowPlan(NAME, "", osc_port=9300), {}, None, {"osc_port", "renderer"})
    assert (named.osc_port, named.renderer, named.osc_host) == (9300, "world", "127.0.0.2")
    other = tmp_path / "other.safetensors"
    other.write_bytes(Path(tiny_world).read_bytes())
    assert resumed(ShowPlan(NAME, ""), {}, str(other)).world == str(other)


@pytest.mark.parametrize("damage", ["", "[]", '{"values": 3}', '{"values": {}, "world": "tiny"}'])
def test_what_is_damaged_is_refused_in_two_lines(shows: Path, damage: str) -> None:
    (shows / "killed").mkdir(parents=True)
    (shows / "killed" / f"{NAME}.json").write_text(damage)
    with pytest.raises(SonoramaError, match="no killed show called") as caught:
        resumed(ShowPlan(NAME, ""), {}, None)
    assert len(str(caught.value).splitlines()) == 2


def test_it_goes_on_at_its_cue(shows: Path, tiny_world: str, tmp_path: Path) -> None:
    record = kept(tiny_world, tmp_path)
    player = record._control_state.cues
    player.offer(CueList((Cue(4, wait=9.0), Cue(6))))
    player.look(None)
    player.goto(4)
    record._due = 0.0
    record._keep(Status())
    killed(shows, cues=str(tmp_path / "list.json"), play=True)
    assert take_over(NAME)
    plan = resumed(ShowPlan(NAME, ""), {}, None)
    assert (plan.cue, plan.play, plan.cues) == (4, True, tmp_path / "list.json")
    player.stop()
    record._due = 0.0
    record._keep(Status())
    assert json.loads((shows / f"{NAME}.json").read_text())["cue"] == 0


def test_a_regular_end_leaves_nothing(shows: Path, tiny_world: str, tmp_path: Path) -> None:
    record = kept(tiny_world, tmp_path)
    assert (shows / f"{NAME}.json").stat().st_mode & 0o777 == 0o600
    record.close()
    assert not list(shows.iterdir())


def test_that_it_cannot_be_kept_is_said_once(shows: Path, tiny_world: str, tmp_path: Path) -> None:
    shows.write_text("a file in the way")
    said: list[str] = []

    def write(_: str, job: Callable[[], None]) -> None:
        with pytest.raises(OutputError, match="could not be resumed") as caught:
            job()
        said.append(str(caught.value))

    record = kept(tiny_world, tmp_path, write=write)
    record._changed, record._due = True, 0.0
    record._keep(Status())
    assert len(said) == 1
