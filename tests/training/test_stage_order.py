"""Training stages run in the order of what they make and need; what does not fit is told before any work."""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.training.stage_order import open_stages, run_stages, with_extra
from sonorama.training.stages.builtin import ORDER

RUN: Any = SimpleNamespace(root=None, work=None, note=None)


class Stage:
    def __init__(self, inputs: tuple[str, ...], outputs: tuple[str, ...], keeps: int = 9) -> None:
        self.inputs, self.outputs, self._keeps = inputs, outputs, keeps

    def run(self, run: object, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        made = "+".join(inputs.values())
        return {name: f"{name}({made})" for name in self.outputs[: self._keeps]}


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Installs a stage `other` with these inputs and outputs."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(inputs: str, outputs: str) -> None:
        info = tmp_path / "other-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[sonorama.training_stages]\nother = other_training_stage:Other\n")
        code = f"class Other:\n    inputs, outputs = {inputs}, {outputs}\n    def run(self, run, inputs): return {{}}\n"
        (tmp_path / "other_training_stage.py").write_text(code)
        importlib.invalidate_caches()
        monkeypatch.delitem(__import__("sys").modules, "other_training_stage", raising=False)

    return install


def test_ours_fit_together_and_run_in_the_order_of_the_recipe() -> None:
    stages = open_stages([])
    assert tuple(stages) == ORDER
    made: set[str] = set()
    for one in stages.values():
        assert set(one.inputs) <= made
        made |= set(one.outputs)
    assert made >= {"generator", "space", "encoder", "motion", "bank"}


def test_each_runs_after_those_that_make_its_inputs() -> None:
    stages = {"c": Stage(("b", "a"), ("c",)), "b": Stage(("a",), ("b",)), "a": Stage((), ("a",))}
    assert run_stages(RUN, stages) == {"a": "a()", "b": "b(a())", "c": "c(b(a())+a())"}


def test_stages_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(SonoramaError, match="a, b wait for each other"):
        run_stages(RUN, {"a": Stage(("b",), ("a",)), "b": Stage(("a",), ("b",))})


def test_a_stage_that_does_not_make_what_it_promised_is_named() -> None:
    with pytest.raises(SonoramaError, match="The training stage a did not make y"):
        run_stages(RUN, {"a": Stage((), ("x", "y"), keeps=1)})


@pytest.mark.parametrize(
    ("inputs", "outputs", "words"),
    [
        ("()", "('motion',)", "adversarial and other both make motion"),
        ("('flavour',)", "('x',)", "other needs flavour, which none makes"),
    ],
)
def test_one_that_does_not_fit_is_refused(
    stage: Callable[[str, str], None], inputs: str, outputs: str, words: str
) -> None:
    stage(inputs, outputs)
    with pytest.raises(SonoramaError, match=words):
        open_stages(["other"])


def test_an_unknown_one_is_refused() -> None:
    with pytest.raises(SonoramaError, match="There is no training stage called 'palettes'"):
        open_stages(["palettes"])


def test_what_others_make_is_packed_beside_ours() -> None:
    parts = with_extra({"encoder": {"x": 1}}, {"palette": {"colours": 2}})
    assert parts == {"encoder": {"x": 1}, "palette": {"colours": 2}}
    for name, output in (("encoder", {}), ("generator", {}), ("palette", 5)):
        with pytest.raises(SonoramaError):
            with_extra({"encoder": {}}, {name: output})
