"""From files of answers to the report; figures are compared with sums made by hand."""

import csv
import io
import math
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.cli.main import main
from sonorama.export.study.answers import COLUMNS, read_answers
from sonorama.export.study.evaluation import Evaluation, differences, evaluate, evaluated
from sonorama.export.study.intervals import wilson
from sonorama.export.study.key import Key, Model, StudySound
from sonorama.export.study.order import balanced_square


@pytest.fixture
def small() -> Key:
    """Three models, two sounds."""
    kinds = ("wrong-sound", "ours", "no-sound")
    models = [Model(code, "shore", "1", "aa", kind) for code, kind in zip("ABC", kinds, strict=True)]
    sounds = [StudySound(f"s{n}", name, name, n, dict.fromkeys("ABC", "x")) for n, name in ((1, "rain"), (2, "fire"))]
    return Key(models, sounds, 5.0, (64, 64), "30", [], "auto", balanced_square(2), balanced_square(3), {})


def session(key: Key, participant: int, ratings: dict[str, tuple[int, int]], chosen: tuple[str, str]) -> list[str]:
    """ratings: model -> realness and consistency, with both sounds. chosen: with each sound."""
    lines = []
    for trial, choice in enumerate(chosen, 1):
        end = f"1.0,ABC,{key.version}"
        for code, pair in ratings.items():
            for question, value in zip(("realness", "consistency"), pair, strict=True):
                lines.append(f"{participant},{trial},s{trial},{code},{question},{value},{end}")
        lines.append(f"{participant},{trial},s{trial},{choice},naturalness,{choice},{end}")
    return lines


def write_study(folder: Path, key: Key, sessions: list[list[str]]) -> list[Path]:
    (folder / "study").mkdir()
    (folder / "study" / "key.json").write_bytes(key.encoded())
    paths = []
    for number, lines in enumerate(sessions, 1):
        paths.append(folder / f"{number}.csv")
        paths[-1].write_text("\n".join([",".join(COLUMNS), *lines]) + "\n")
    return paths


def many(key: Key) -> list[list[str]]:
    """Twelve participants: B is rated 4 or 5, A 3, C 1 or 2, and B is chosen 20 times of 24."""
    good, bad = {"A": (3, 3), "B": (5, 4), "C": (1, 2)}, {"A": (3, 3), "B": (4, 5), "C": (2, 1)}
    return [session(key, n, good if n % 2 else bad, ("B", "B" if n <= 8 else "A")) for n in range(1, 13)]


def figures(folder: Path, key: Key, sessions: list[list[str]]) -> Evaluation:
    return evaluated(key, read_answers(write_study(folder, key, sessions), key))


def test_means_and_shares(small: Key, tmp_path: Path) -> None:
    found = figures(tmp_path, small, many(small))
    assert (found.participants, found.complete, found.choices) == (12, 12, 24)
    assert [one.value for one in found.estimates["realness"]] == [3.0, 4.5, 1.5]
    assert [one.value for one in found.estimates["consistency"]] == [3.0, 4.5, 1.5]
    real = found.estimates["realness"]
    assert (real[0].low, real[0].high) == (3.0, 3.0)
    # Of 12 values that are 4 or 5 at random, the mean is 4.5 with a standard deviation of 0.5 / sqrt(12).
    assert (real[1].low, real[1].high) == pytest.approx((4.5 - 0.283, 4.5 + 0.283), abs=0.05)
    natural = found.estimates["naturalness"]
    assert [one.value for one in natural] == [4 / 24, 20 / 24, 0.0]
    assert (natural[1].low, natural[1].high) == wilson(20, 24)
    assert found.by_sound["naturalness"].tolist() == [[0.0, 1.0, 0.0], [4 / 12, 8 / 12, 0.0]]


def test_what_is_clear_and_what_is_not() -> None:
    rng = np.random.default_rng(4)
    base = rng.normal(3, 1, (20, 1))  # how strict each participant is, which cancels in differences
    values = np.concatenate([base, base + 1 + rng.normal(0, 0.3, (20, 1)), base + rng.normal(0, 0.3, (20, 1))], axis=1)
    found = {(one.better, one.worse): one for one in differences(values)}
    assert found[1, 0].clear and found[1, 2].clear
    other = found.get((0, 2)) or found[2, 0]
    assert not other.clear
    assert found[1, 0].estimate.value == pytest.approx((values[:, 1] - values[:, 0]).mean())
    # Three pairs: at 95 % in all, each is at 98.33 % (z = 2.394), by the normal distribution.
    half = 2.394 * (values[:, 1] - values[:, 0]).std() / math.sqrt(20)
    assert found[1, 0].estimate.low == pytest.approx(found[1, 0].estimate.value - half, abs=0.25 * half)


def test_an_unfinished_session_counts_as_far_as_it_goes(small: Key, tmp_path: Path) -> None:
    whole = session(small, 1, {"A": (1, 1), "B": (3, 3), "C": (5, 5)}, ("C", "C"))
    part = session(small, 2, {"A": (5, 5), "B": (3, 3), "C": (5, 5)}, ("C", "C"))[:2]
    found = figures(tmp_path, small, [whole, part])
    assert (found.participants, found.complete, found.choices) == (2, 1, 2)
    assert [one.value for one in found.estimates["realness"]] == [3.0, 3.0, 5.0]


def test_the_report_concludes(small: Key, tmp_path: Path) -> None:
    report = evaluate(tmp_path / "study", write_study(tmp_path, small, many(small)))
    assert report.remarks == []
    lines = report.text.splitlines()
    assert lines[0] == f"# Study {small.version}"
    assert lines[2] == "12 participants, 2 sounds, 3 models, 24 choices. 12 of the participants gave all answers."
    (row,) = [line for line in lines if line.startswith("| shore  ")]
    _, _, code, realness, _, natural, _ = [cell.strip() for cell in row.split("|")]
    assert (code, realness[:10], natural) == ("B", "4.50 (4.25", "83 % (64 to 93 %)")
    assert any(line.startswith("* realness: shore above shore (wrong sound), by 1.50 (") for line in lines)
    assert "Too few" not in report.text
    table = [*csv.DictReader(io.StringIO(report.table))]
    assert len(table) == 3 * 3 * 3
    (share,) = [r for r in table if (r["question"], r["sound"], r["variant"]) == ("naturalness", "all", "ours")]
    assert (share["value"], share["low"], share["high"]) == ("0.8333", *(f"{end:.4f}" for end in wilson(20, 24)))


def test_the_same_for_all_is_no_difference(small: Key, tmp_path: Path) -> None:
    same = {"A": (3, 3), "B": (3, 3), "C": (3, 3)}
    sessions = [session(small, n, same, ("ABC"[n % 3], "ABC"[(n + 1) % 3])) for n in range(1, 13)]
    text = evaluate(tmp_path / "study", write_study(tmp_path, small, sessions)).text
    for question in ("realness", "consistency", "naturalness"):
        assert f"* {question}: no clear difference in 3 of 3 pairs of models" in text
    assert " above " not in text


def test_few_participants_are_too_few(small: Key, tmp_path: Path) -> None:
    text = evaluate(tmp_path / "study", write_study(tmp_path, small, many(small)[:9])).text
    assert "Too few participants to conclude anything: 9; at least 10 are needed." in text
    assert " above " not in text


def test_one_participant_has_means_without_intervals(small: Key, tmp_path: Path) -> None:
    text = evaluate(tmp_path / "study", write_study(tmp_path, small, many(small)[:1])).text
    assert "5.00 (no interval)" in text


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, list[str]]:
    code = main(["study", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err.splitlines()


def test_the_command_writes_both_files_and_replaces_none(
    small: Key, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = write_study(tmp_path, small, many(small))
    out = tmp_path / "report"
    code, told, err = run(capsys, "--results", tmp_path / "study" / "key.json", *paths, "-o", out)
    assert (code, err) == (0, [])
    text = (tmp_path / "report.md").read_text()
    assert told == f"{text}{out}.md\n{out}.csv\n"
    code, _, err = run(capsys, "--results", tmp_path / "study", *paths, "-o", out)
    assert code == 2
    assert err == [f"{out}.md is there already", "Choose another OUT, or replace it with --overwrite."]
    (tmp_path / "report.csv").write_text("mine")
    code, _, err = run(capsys, "--results", tmp_path / "study", *paths[:4], "-o", f"{out}.md", "--overwrite")
    assert (code, err) == (0, [])
    assert "Too few" in (tmp_path / "report.md").read_text()
    assert (tmp_path / "report.csv").read_text().startswith("question,sound,")


def test_the_command_says_what_it_left_out(small: Key, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (path,) = write_study(tmp_path, small, [[*many(small)[0], "nonsense"]])
    code, out, err = run(capsys, "--results", tmp_path / "study", path)
    assert code == 0
    assert out.startswith("# Study")
    assert err == [f"{path}, line 16: 1 values that are no answer; left out"]


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (["--results", "nowhere", "a.csv"], "nowhere cannot be read: No such file or directory"),
        (["--results", "study"], "No file of answers was named"),
        (["--results", "study", "b.csv"], "b.csv cannot be read: No such file or directory"),
        (["--results", "a.csv", "a.csv"], "a.csv is not the key of a study: "),
        (["--results", "other", "a.csv"], "other/key.json is not the key of a study: "),
        (["--results", "study", "a.csv", "--sound", "x.wav"], "--results takes no options of films"),
        (["--results", "study", "a.csv", "--seed", "0"], "--results takes no options of films"),
        (["--results", "study", "a.csv", "-o", "no/where"], "no/where.md could not be written: "),
    ],
)
def test_bad_input_is_refused_in_two_lines(
    arguments: list[str], first: str, small: Key, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    write_study(tmp_path, small, [])
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("\n".join([",".join(COLUMNS), *many(small)[0]]) + "\n")
    Path("other").mkdir()
    Path("other/key.json").write_text('{"made_by": "sonorama", "models": 3}')
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert len(err) == 2
    assert err[0].startswith(first)
