"""Bad input of `sonorama evaluate`: two lines and exit code 2, before any work."""

from pathlib import Path

import pytest

from sonorama.engine.cli.main import main

from ..small_data import small_data


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_data(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), "no such world"),
        (("shore", "--seconds", "0"), "--seconds: 0 is not between"),
        (("shore", "--seconds", "nan"), "--seconds: nan is not between"),
        (("shore", "--each", "0"), "--each: 0 is not between"),
        (("shore", "--minutes", "-1"), "--minutes: -1 is not between"),
        (("shore", "--condition", "louder"), "no condition louder"),
        (("shore", "--ablation", "mode", "--condition", "static"), "no condition static"),
        (("shore", "--split", "final"), "no final recording"),
        (("shore", "--i3d", "MANIFEST.tsv"), "MANIFEST.tsv: "),
        (("shore", "--data", "nowhere"), "no MANIFEST.tsv"),
        (("shore", "--sounds", ""), "is empty"),
        (("shore", "--sounds", "new", "--films", "A=b"), "--films has nothing to do"),
        (("shore", "--sounds", "new", "--judge", "j"), "--judge has nothing to do"),
        (("shore", "-o", "MANIFEST.tsv"), "MANIFEST.tsv is there already, and is no evaluation"),
    ],
)
def test_refused(
    arguments: tuple[str, ...],
    words: str,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(data)
    monkeypatch.setenv("SONORAMA_DATA", str(data))
    assert main(["evaluate", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 2
    assert not (data / "evaluation").exists()
