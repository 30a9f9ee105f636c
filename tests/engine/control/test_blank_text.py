"""Text of blanks only names nothing: no code, sound or photo, which a renderer would look for in vain."""

import pytest

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameter_state import ParameterState

TEXTS = [path for path, param in SHOW.items() if param.kind == "text"]


@pytest.mark.parametrize("path", TEXTS)
@pytest.mark.parametrize("blank", [" ", "\t", "\u2003 "])
def test_blanks_are_no_text(path: str, blank: str) -> None:
    assert SHOW[path].clip(blank) == SHOW[path].clip("")


def test_what_was_stored_as_blanks_is_nothing_either() -> None:
    state = ParameterState(SHOW)
    told = state.snapshot()
    told["target"]["/look/code"] = told["base"]["/look/code"] = " "
    state.restore(told)
    assert state.base("/look/code") == ""
