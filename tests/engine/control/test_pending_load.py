"""What has to be loaded for a change, and which change shows that it is."""

import pytest

from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.control.pending_load import (
    CODE,
    DEVICE,
    FOUND,
    PHOTO,
    PROMPT,
    TEXT,
    WORLD,
    PendingLoad,
    PendingLoads,
    needed_loads,
    without_loads,
)


def change(path: str, value: Value, source: str = "test") -> Change:
    return Change(path, value, source)


def test_worlds_devices_and_texts_are_loaded_and_only_texts_are_shown_before() -> None:
    batch = [change(WORLD, "a"), change("/look/seed", 3), change(TEXT, "rain"), change(DEVICE, "cpu")]
    assert [load.path for load in needed_loads(batch)] == [WORLD, TEXT, DEVICE]
    assert [one.path for one in without_loads(batch)] == ["/look/seed", TEXT]


@pytest.mark.parametrize(("seed", "needed"), [(7, []), (0, []), (-1, [TEXT])])
def test_a_text_that_comes_with_its_seed_needs_no_search(seed: int, needed: list[str]) -> None:
    batch = [change(TEXT, "rain", "scene"), change(PROMPT, seed, "scene")]
    assert [load.path for load in needed_loads(iter(batch))] == needed


def test_the_result_of_a_text_is_a_seed_and_of_a_world_the_change_itself() -> None:
    world = change(WORLD, "a")
    assert PendingLoad(world).result() is world
    assert PendingLoad(change(TEXT, "rain")).result(7) == Change(PROMPT, 7, FOUND)


@pytest.mark.parametrize(
    ("applied", "left"),
    [
        (change(PROMPT, 7, FOUND), [WORLD]), (change(PROMPT, -1, FOUND), [WORLD]), (change(PROMPT, 7), [WORLD]),
        (change(PROMPT, -1), [TEXT, WORLD]), (change(TEXT, "rain"), [TEXT, WORLD]), (change(WORLD, "a"), [TEXT]),
        (change(DEVICE, "cpu"), [TEXT, WORLD]),
    ],
)  # fmt: skip
def test_an_applied_change_completes_what_it_results_from(applied: Change, left: list[str]) -> None:
    loads = PendingLoads()
    loads.add([change(TEXT, "rain"), change(WORLD, "a")])
    loads.complete([applied])
    assert loads.paths == left


def test_of_each_address_the_newest_is_pending_until_it_is_refused_or_taken() -> None:
    loads = PendingLoads()
    for value in "ab":
        loads.add([change(WORLD, value), change(TEXT, value)])
    (again,) = loads.add([change(TEXT, "b")])
    assert again in loads and PendingLoad(change(TEXT, "b")) not in loads  # asked for twice: only the last one counts
    loads.refuse(TEXT)
    loads.refuse(TEXT)
    assert again not in loads
    assert loads.take() == [change(WORLD, "b")]
    assert loads.paths == []


def test_codes_are_read_first_and_photos_lead_to_codes() -> None:
    fine = "/look/fine/code"
    batch = [change(PHOTO, "beach.jpg"), change(fine, "a"), change("/look/code_weight", 0.5)]
    assert [load.path for load in needed_loads(batch)] == [PHOTO, fine]
    assert [one.path for one in without_loads(batch)] == [PHOTO, "/look/code_weight"]
    assert [load.path for load in needed_loads([*batch, change(CODE, "b")])] == [fine, CODE]  # as in a scene
    assert [load.path for load in needed_loads([*batch, change(CODE, "")])] == [PHOTO, fine, CODE]
    assert PendingLoad(change(PHOTO, "beach.jpg")).result("b") == Change(CODE, "b", FOUND)


@pytest.mark.parametrize(
    ("applied", "left"),
    [
        (change(CODE, "b", FOUND), []), (change(CODE, "", FOUND), []), (change(CODE, "b"), []),
        (change(CODE, ""), [PHOTO]), (change(PROMPT, 3), [PHOTO]),
    ],
)  # fmt: skip
def test_a_code_completes_the_search_for_a_photo_s(applied: Change, left: list[str]) -> None:
    loads = PendingLoads()
    loads.add([change(PHOTO, "beach.jpg")])
    loads.complete([applied])
    assert loads.paths == left


SEED, SOUND, WORDS = "/blend/2/seed", "/blend/2/sound", "/blend/2/text"


def test_a_sound_leads_to_the_seed_of_its_point_and_clears_what_was_there() -> None:
    load = PendingLoad(change(SOUND, "rain.wav"))
    cleared = [Change(path, "", FOUND) for path in (WORDS, "/blend/2/code")]
    assert load.results(7) == [Change(SEED, 7, FOUND), *cleared]
    assert PendingLoad(change(WORDS, "rain")).results(7) == [Change(SEED, 7, FOUND), Change(SOUND, "", FOUND)]
    assert PendingLoad(change(TEXT, "rain")).results(7) == [Change(PROMPT, 7, FOUND)]
    assert needed_loads([change(SOUND, "rain.wav"), change(SEED, 7)]) == []  # as in a preset
    assert without_loads([load.asked]) == [load.asked]


def test_a_name_of_a_sound_that_is_cleared_seeks_nothing_and_ends_the_search() -> None:
    loads = PendingLoads()
    loads.add([change(SOUND, "rain.wav")])
    assert needed_loads([change(SOUND, "")]) == []
    loads.complete([change(SOUND, "rain.wav")])
    assert loads.paths == [SOUND]
    loads.complete([change(SOUND, "")])
    assert loads.paths == []


@pytest.mark.parametrize(("first", "last"), [(WORDS, SOUND), (SOUND, WORDS)])
def test_of_a_text_and_a_sound_for_one_point_the_last_one_counts(first: str, last: str) -> None:
    loads = PendingLoads()
    loads.add([change(first, "rain"), change("/blend/3/sound", "a.wav"), change(TEXT, "rain")])
    loads.add([change(last, "storm")])
    assert loads.paths == ["/blend/3/sound", TEXT, last]
