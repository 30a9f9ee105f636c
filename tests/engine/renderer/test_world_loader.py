"""Loads off the frame loop: refusals are told, and the process for slow work does not stay for ever."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.control.parameters import Change
from sonorama.engine.control.pending_load import CODE, FOUND, PHOTO, PROMPT, SOUNDS, TEXT, WORLD, PendingLoad
from sonorama.engine.faults import Faults
from sonorama.engine.model.base_code import keep_code, make_code
from sonorama.engine.model.world_file import read_card, save_world
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.renderer import world_loader
from sonorama.engine.renderer.world_loader import WorldLoader


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 60.0
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_words_of_a_world_without_any_are_refused_and_the_process_goes(
    tiny_world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world_loader, "KEPT_S", 0.5)
    faults = Faults()
    made = WorldLoader(faults)
    preparation_worker = made._preparation_worker
    for _ in range(2):
        rain = Change(TEXT, "rain", "test")
        made.ask([rain], (tiny_world, "ort"))
        refused: list[PendingLoad] = []
        until(lambda refused=refused: refused.extend(made.refused()) or refused)
        assert refused == [PendingLoad(rain)]
        assert "has no text encoder" in faults.recent()[0]
        until(lambda: preparation_worker.pid == 0)
    made.ask([Change(TEXT, "", "test")], (tiny_world, "ort"))
    until(lambda: made.results() == [Change(PROMPT, -1, "text")])
    assert preparation_worker.pid == 0


def test_what_was_asked_for_again_meanwhile_is_neither_done_nor_refused(
    tiny_world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    made = WorldLoader(faults := Faults())
    open_world = made.open

    def slow(world: str, device: str) -> LoadedWorld:
        begun.set()
        assert go_on.wait(60.0)
        return open_world(world, device)

    monkeypatch.setattr(made, "open", slow)
    made.ask([Change(WORLD, tiny_world, "first")], (tiny_world, "ort"))
    assert begun.wait(60.0)
    last = Change(WORLD, tiny_world, "last")
    made.ask([Change(WORLD, "missing", "second")], (tiny_world, "ort"))
    made.ask([last], (tiny_world, "ort"))
    go_on.set()
    results: list[Change] = []
    until(lambda: results.extend(made.results()) or results)
    assert results == [last]
    assert made.refused() == [] and faults.recent() == []
    made.close()


def test_a_file_that_changed_is_opened_when_its_world_is_chosen_after_another(tiny_world: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.safetensors"
    shutil.copy(tiny_world, mine)
    made = WorldLoader(Faults())
    first = made.open(str(mine), "reference")
    other = dict(first.world.tensors) | {"generator.mapping.w_avg": first.world.tensors["generator.mapping.w_avg"] + 1}
    content = save_world(mine, first.world.card, other).content
    for playing, expected in ((str(mine), first.world.card.content), (tiny_world, content)):
        made.ask([asked := Change(WORLD, str(mine), "test")], (playing, "reference"))
        results: list[Change] = []
        until(lambda results=results: results.extend(made.results()) or results)
        assert results == [asked]
        assert made.open(str(mine), "reference").world.card.content == expected
    made.close()


def test_a_text_whose_seed_comes_meanwhile_is_not_searched_any_more(
    tiny_world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, begun, go_on = WorldLoader(Faults()), threading.Event(), threading.Event()

    def seed(world: str, text: str) -> tuple[int, str]:
        begun.set()
        assert go_on.wait(60.0)
        return (3, "") if text == "rain" else (5, "")

    monkeypatch.setattr(made._preparation_worker, "seed", seed)
    made.ask([Change(TEXT, "rain", "test")], (tiny_world, "ort"))
    assert begun.wait(60.0)
    made.ask([Change(TEXT, "wind", "scene"), Change(PROMPT, 7, "scene")], (tiny_world, "ort"))
    begun.clear()
    go_on.set()
    made.ask([Change(TEXT, "snow", "test")], (tiny_world, "ort"))
    results: list[Change] = []
    until(lambda: results.extend(made.results()) or results)
    assert results == [Change(PROMPT, 5, FOUND)]
    made.close()


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_text_that_is_cleared_at_once_waits_for_no_search(
    tiny_world: str, monkeypatch: pytest.MonkeyPatch, blank: str
) -> None:
    """The search before may take minutes on a busy machine; what it finds is not wanted any more."""
    made, begun, go_on = WorldLoader(Faults()), threading.Event(), threading.Event()

    def seed(world: str, text: str) -> tuple[int, str]:
        begun.set()
        assert go_on.wait(60.0)
        return 5, ""

    monkeypatch.setattr(made._preparation_worker, "seed", seed)
    made.ask([Change(TEXT, "fog " * 750, "test")], (tiny_world, "ort"))
    assert begun.wait(60.0)
    made.ask([Change(TEXT, blank, "test")], (tiny_world, "ort"))
    assert made.results() == [Change(PROMPT, -1, FOUND)]
    made.ask([Change(TEXT, "rain", "test")], (tiny_world, "ort"))
    go_on.set()
    results: list[Change] = []
    until(lambda: results.extend(made.results()) or results)
    assert results == [Change(PROMPT, 5, FOUND)]  # of the rain alone
    made.close()


def test_codes_and_photos_act_once_they_are_loaded_or_are_refused(
    tiny_world: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SONORAMA_CODES", str(tmp_path / "codes"))
    monkeypatch.setenv("SONORAMA_PHOTOS", str(tmp_path))
    (tmp_path / "beach.jpg").write_bytes(b"a photo")
    w, content = np.zeros((2, 2), np.float32), read_card(Path(tiny_world)).content
    for code in (mine := make_code(w, content, "mine"), other := make_code(w, "0" * 64, "other")):
        keep_code(code)
    made = WorldLoader(faults := Faults())
    monkeypatch.setattr(made._photo_worker, "invert", lambda _world, _photo: mine.name)
    for asked, result in (
        (Change(CODE, mine.name, "test"), Change(CODE, mine.name, "test")),
        (Change(CODE, "", "test"), Change(CODE, "", "test")),
        (Change(PHOTO, "beach.jpg", "test"), Change(CODE, mine.name, FOUND)),
        (Change(PHOTO, "", "test"), Change(CODE, "", FOUND)),
    ):
        made.ask([asked], (tiny_world, "ort"))
        results: list[Change] = []
        until(lambda results=results: results.extend(made.results()) or results)
        assert results == [result]
        made._pending.take()
    for path, value, said in (
        (CODE, other.name, "is a code of another world"),
        (CODE, "beach-0123456789ab", "is not here"),
        (PHOTO, "../beach.jpg", "There is no photo"),
        (PHOTO, "lake.jpg", "There is no photo"),
    ):
        asked = Change(path, value, "test")
        made.ask([asked], (tiny_world, "ort"))
        refused: list[PendingLoad] = []
        until(lambda refused=refused: refused.extend(made.refused()) or refused)
        assert refused == [PendingLoad(asked)]
        assert any(said in line for line in faults.recent())
    made.close()


def test_a_sound_of_the_user_s_folder_becomes_a_seed_or_is_refused(
    tiny_world: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "sounds"
    folder.mkdir()
    monkeypatch.setenv("SONORAMA_SOUNDS", str(folder))
    for place in (tmp_path, folder):
        (place / "rain.wav").write_bytes(b"no sound")
    made, asked = WorldLoader(faults := Faults()), list[str]()

    def hear(_world: str, sound: str) -> int:
        asked.append(sound)
        return 9

    monkeypatch.setattr(made._preparation_worker, "hear", hear)
    path, seed = next(iter(SOUNDS.items()))
    made.ask([Change(path, "rain.wav", "test")], (tiny_world, "ort"))
    results: list[Change] = []
    until(lambda: results.extend(made.results()) or len(results) == 3)
    assert results[0] == Change(seed, 9, FOUND) and {one.value for one in results[1:]} == {""}
    assert asked == [str(folder / "rain.wav")]
    monkeypatch.undo()
    monkeypatch.setenv("SONORAMA_SOUNDS", str(folder))
    for value, said in (
        ("../rain.wav", "There is no sound"),
        (str(tmp_path / "rain.wav"), "There is no sound"),
        ("gone.wav", "There is no sound 'gone.wav'"),
        ("rain.wav", "has no seed bank, from which sounds choose"),
    ):
        refused: list[PendingLoad] = []
        made.ask([wrong := Change(path, value, "test")], (tiny_world, "ort"))
        until(lambda refused=refused: refused.extend(made.refused()) or refused)
        assert refused == [PendingLoad(wrong)] and made.results() == []
        assert any(said in line and f"{path} changes nothing" in line for line in faults.recent())
    made.close()
