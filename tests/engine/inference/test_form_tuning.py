"""The fastest form is measured once for each device, torch and world, and again where its file is of no use."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sonorama.engine.inference.form_tuning import TuningKey, tuned_form
from sonorama.engine.model.generator_fused import ALL_FORMS, Form

KEY = TuningKey("NVIDIA Something", "2.11.0+cu130", "ab" * 32)
FASTEST = Form("hybrid", "polyphase")


class Clock:
    """Measures forms by a table. asked: what was measured."""

    def __init__(self, fastest: Form = FASTEST) -> None:
        self.asked: list[Form] = []
        self._fastest = fastest

    def __call__(self, form: Form) -> float:
        self.asked.append(form)
        return 1.0 if form == self._fastest else 2.0


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONORAMA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def asked(key: TuningKey = KEY) -> list[Form]:
    clock = Clock()
    assert tuned_form(key, ALL_FORMS, clock) == FASTEST
    return clock.asked


def test_it_is_measured_once() -> None:
    assert asked() == list(ALL_FORMS)
    assert asked() == []


@pytest.mark.parametrize("other", [{"device": "Another"}, {"torch": "2.12.0"}, {"world": "cd" * 32}])
def test_another_device_torch_or_world_is_measured_anew(other: dict[str, str]) -> None:
    asked()
    assert asked(replace(KEY, **other)) == list(ALL_FORMS)
    assert asked() == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: text[:40],
        lambda text: "[" * 50_000,
        lambda text: text + " " * 200_000,
        lambda text: "[1, 2]",
        lambda text: text.replace("polyphase", "sideways"),
        lambda text: text.replace("Something", "Somebody's"),
        lambda text: json.dumps(json.loads(text) | {"version": 0}),
        lambda text: json.dumps(json.loads(text) | {"form": None}),
    ],
)
def test_a_spoilt_file_is_measured_and_written_again(spoil: Callable[[str], str]) -> None:
    asked()
    KEY.file.write_text(spoil(KEY.file.read_text()))
    assert asked() == list(ALL_FORMS)
    assert asked() == []


def test_a_folder_that_cannot_be_written_stops_nothing(cache: Path) -> None:
    cache.write_text("a file is in its way")
    assert asked() == list(ALL_FORMS)
    assert asked() == list(ALL_FORMS)


def test_forms_that_fail_are_left_out() -> None:
    def failing(form: Form) -> float:
        if form.up != "dense":
            raise RuntimeError("out of memory")
        return 1.0 if form.modulation == "hybrid" else 2.0

    assert tuned_form(KEY, ALL_FORMS, failing) == Form("hybrid", "dense")


def test_where_all_fail_the_first_is_taken_and_not_remembered() -> None:
    def failing(form: Form) -> float:
        raise RuntimeError("out of memory")

    assert tuned_form(KEY, ALL_FORMS, failing) == ALL_FORMS[0]
    assert asked() == list(ALL_FORMS)
