"""Presets and scenes that are no such files, or hold what no parameter takes: refused in a line, or read in part."""

from pathlib import Path

import pytest

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.presets import load
from sonorama.engine.control.scenes import SceneBank
from sonorama.engine.errors import InputError

ODD = (
    '{"/look/drift": "high", "/look/nosuch": 3, "/motion/fine/amount": NaN, "/look/truncation": 99, '
    '"/out/blackout": true, "/out/record": true}'
)


@pytest.mark.parametrize(
    "content",
    [b'{"a": 1', b"\0\xff\xfe", b"[1,2,3]", b"", b"[" * 100_001, b'{"a":' * 50_000 + b"1" + b"}" * 50_000],
    ids=["cut", "bytes", "list", "empty", "deep list", "deep object"],
)
def test_what_is_no_preset_is_refused_in_two_lines(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.look.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.look\.json is not a valid preset file") as caught:
        load(path, SHOW)
    assert len(str(caught.value).splitlines()) == 2


def test_of_an_odd_preset_the_good_values_count_and_the_others_are_named(tmp_path: Path) -> None:
    path = tmp_path / "odd.look.json"
    path.write_text(ODD)
    values, lines = load(path, SHOW)
    assert values == {"/look/truncation": SHOW["/look/truncation"].high}
    named = ("/look/drift", "/look/nosuch", "/motion/fine/amount", "/out/blackout", "/out/record")
    assert len(lines) == len(named)
    assert all(any(address in line for line in lines) for address in named)


def test_a_malformed_file_of_scenes_gives_a_line_and_the_good_scenes(tmp_path: Path) -> None:
    path = tmp_path / "vjmal.scenes.json"
    path.write_text('{"1": {"/look/drift": "x"}, "2": 5, "9": {}, "3": {"/look/drift": 0.5}}')
    bank = SceneBank(path)
    assert bank.fault.startswith("vjmal.scenes.json: ")
    assert "and 2 more" in bank.fault
    assert bank.stored == (False, False, True, False, False, False, False, False)
    assert bank.recall(3, 0.0)
