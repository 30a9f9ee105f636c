"""What the program paints stays what it was: six renders of the world `shore` and one replayed take.

renders.json holds their commands, every value given, so that later defaults do not matter. Each is compared twice:

* bit for bit, every frame (hashes.json), where processor and libraries are those of a record in that file;
  elsewhere the test is skipped and says what differs, since the last bits of a convolution depend on them;
* everywhere, within golden.TOLERANCE, every third frame reduced to 32 px (pictures/).

When pictures are meant to change: `python tests/golden/renew.py`, look at pictures/, and say why in the commit.
On another machine, from a commit known to be good: `python tests/golden/renew.py --add` adds its record.
"""

import json

import pytest

from . import golden


@pytest.fixture(scope="module", params=list(golden.RENDERS))
def rendered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, golden.Film]:
    return request.param, golden.render(request.param, tmp_path_factory.mktemp("golden"))


def test_every_bit_is_as_it_was(rendered: tuple[str, golden.Film]) -> None:
    name, film = rendered
    records, here = json.loads(golden.HASHES.read_text()), golden.machine()
    same = [record for record in records if record["machine"] == here]
    if not same:
        other = records[0]["machine"]
        changed = [key for key in sorted({*other, *here}) if other.get(key) != here.get(key)]
        pytest.skip(
            f"hashes were made elsewhere: {', '.join(f'{k} {other.get(k)}, here {here.get(k)}' for k in changed)}"
        )
    expected = same[0]["frames"][name]
    assert len(film.hashes) == len(expected)
    wrong = [number for number, pair in enumerate(zip(film.hashes, expected, strict=True)) if pair[0] != pair[1]]
    assert not wrong, f"{name}: {len(wrong)} of {len(expected)} frames changed, the first is number {wrong[0]}"


def test_pictures_look_as_they_did(rendered: tuple[str, golden.Film]) -> None:
    name, film = rendered
    off = golden.difference(name, film.small)
    assert off <= golden.TOLERANCE, f"{name}: {off} of 255 off"


def test_pictures_move() -> None:
    """Still pictures would prove little."""
    for name in golden.RENDERS:
        for record in json.loads(golden.HASHES.read_text()):
            shown = record["frames"][name]
            assert len(set(shown)) > 0.6 * len(shown), name
