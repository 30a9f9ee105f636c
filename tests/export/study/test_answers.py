"""Files of answers: what is right is read, what is wrong is named, nothing is guessed."""

from pathlib import Path

import pytest

from sonorama.engine.errors import InputError
from sonorama.export.study.answers import COLUMNS, Answers, per_participant, read_answers
from sonorama.export.study.key import Key, Model, StudySound
from sonorama.export.study.order import balanced_square, model_order, sound_order

HEAD = ",".join(COLUMNS)


@pytest.fixture
def small() -> Key:
    """Two models and two sounds."""
    models = [Model("A", "shore", "1", "aa", "no-sound"), Model("B", "shore", "1", "aa", "ours")]
    sounds = [StudySound(f"s{n}", name, name, n, {"A": "x", "B": "y"}) for n, name in ((1, "rain"), (2, "fire"))]
    return Key(models, sounds, 5.0, (64, 64), "30", [], "auto", balanced_square(2), balanced_square(2), {})


def rows(key: Key, participant: int, ratings: dict[str, int], chosen: str) -> list[str]:
    """A whole session, in which every film of a model gets the same ratings."""
    lines = []
    for trial, sound in enumerate(sound_order(key.sound_orders, participant), 1):
        order = "".join(key.models[model].code for model in model_order(key.model_orders, participant, sound))
        end = f"2.5,{order},{key.version}"
        begin = f"{participant},{trial},{key.sounds[sound].code}"
        for code in order:
            lines += [f"{begin},{code},{question},{ratings[code]},{end}" for question in ("realness", "consistency")]
        lines.append(f"{begin},{chosen},naturalness,{chosen},{end}")
    return lines


def write(path: Path, lines: list[str], head: str = HEAD) -> Path:
    path.write_text("\n".join([head, *lines]) + "\n")
    return path


def test_a_session_is_read(small: Key, tmp_path: Path) -> None:
    answers = read_answers([write(tmp_path / "a.csv", rows(small, 3, {"A": 2, "B": 5}, "B"))], small)
    assert answers.remarks == []
    assert len(answers.of[3]) == per_participant(small) == 10
    assert {answer.value for answer in answers if answer.model == "A" and answer.question == "realness"} == {2}
    assert {answer.seconds for answer in answers} == {2.5}


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("participant", "0", "participant '0' is not a whole number from 1"),
        ("participant", "-1", "participant"),
        ("participant", "\uff19", "participant"),
        ("participant", "1e3", "participant"),
        ("trial", "3", "trial '3' is not a whole number from 1 to 2"),
        ("sound", "s3", "there is no sound 's3'"),
        ("model", "C", "there is no model 'C'"),
        ("question", "beauty", "there is no question 'beauty'"),
        ("answer", "6", "answer '6' is not a whole number from 1 to 5"),
        ("answer", "4.5", "answer"),
        ("answer", "B", "answer"),
        ("seconds", "nan", "'nan' is no number of seconds"),
        ("seconds", "-1", "no number of seconds"),
        ("order", "AA", "'AA' is no order of the models"),
        ("order", "ABC", "no order"),
        ("version", "00000000", "an answer to another study ('00000000'"),
        ("sound", "x" * 100, "values that are no answer"),
    ],
)
def test_a_bad_row_is_named_and_left_out(small: Key, tmp_path: Path, column: str, value: str, why: str) -> None:
    lines = rows(small, 1, {"A": 2, "B": 5}, "B")
    cells = lines[0].split(",")
    cells[COLUMNS.index(column)] = value
    answers = read_answers([write(tmp_path / "a.csv", [",".join(cells), *lines[1:]])], small)
    assert len(answers.of[1]) == 9
    first, second = answers.remarks
    assert first.startswith(f"{tmp_path / 'a.csv'}, line 2: ")
    assert why in first
    assert second == "Participant 1 gave 9 of 10 answers"


def test_a_choice_names_its_model_twice(small: Key, tmp_path: Path) -> None:
    lines = [line.replace(",B,naturalness,B,", ",B,naturalness,A,") for line in rows(small, 1, {"A": 2, "B": 5}, "B")]
    answers = read_answers([write(tmp_path / "a.csv", lines)], small)
    assert "the answer 'A' and the model 'B' differ" in answers.remarks[0]
    assert len(answers.of[1]) == 8


def test_many_bad_rows_are_counted(small: Key, tmp_path: Path) -> None:
    lines = [*rows(small, 1, {"A": 2, "B": 5}, "B"), *["1,2,3"] * 30]
    answers = read_answers([write(tmp_path / "a.csv", lines)], small)
    assert len(answers.remarks) == 11
    assert answers.remarks[-1] == f"{tmp_path / 'a.csv'}: 20 more such lines"


def test_the_same_answers_twice_are_one_session(small: Key, tmp_path: Path) -> None:
    """As when a participant saved before the end, and again at the end; and files that a spreadsheet wrote again."""
    lines = rows(small, 1, {"A": 2, "B": 5}, "B")
    part, whole = write(tmp_path / "part.csv", lines[:4]), write(tmp_path / "whole.csv", lines)
    again = tmp_path / "again.csv"
    again.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([HEAD, *lines, "", ""]).encode())
    answers = read_answers([part, whole, again], small)
    assert answers.remarks == []
    assert len(answers.of[1]) == 10


def test_two_people_with_one_number_are_said(small: Key, tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", rows(small, 1, {"A": 2, "B": 5}, "B"))
    two = write(tmp_path / "two.csv", [*rows(small, 1, {"A": 4, "B": 4}, "A"), *rows(small, 2, {"A": 1, "B": 1}, "A")])
    answers = read_answers([one, two], small)
    (remark,) = answers.remarks
    assert remark.startswith(f"{two}: participant 1 has other answers in {one}")
    assert {answer.value for answer in answers.of[1].values()} == {0, 2, 5}
    assert len(answers.of[2]) == 10


def test_an_answer_that_changes_within_a_file_is_said(small: Key, tmp_path: Path) -> None:
    lines = rows(small, 1, {"A": 2, "B": 5}, "B")
    cells = lines[0].split(",")
    cells[COLUMNS.index("answer")] = "4"
    changed = ",".join(cells)
    answers = read_answers([write(tmp_path / "a.csv", [*lines, changed])], small)
    assert answers.remarks == [
        f"{tmp_path / 'a.csv'}, line 12: participant 1 has answered this before in another way; left out"
    ]


def test_a_foreign_table_is_named(small: Key, tmp_path: Path) -> None:
    right = write(tmp_path / "a.csv", rows(small, 1, {"A": 2, "B": 5}, "B"))
    foreign = write(tmp_path / "b.csv", ["1;2"], "participant;trial")
    broken = tmp_path / "c.csv"
    broken.write_text(f'{HEAD}\n"1,2\n')
    picture, long = tmp_path / "d.csv", tmp_path / "e.csv"
    picture.write_bytes(b"\xff\xd8\xff")
    long.write_bytes(b"x" * 10_000_001)
    answers: Answers = read_answers([right, foreign, broken, picture, long], small)
    assert answers.remarks[0].startswith(f"{foreign}: not a file of answers")
    assert "the rest is left out" in answers.remarks[1]
    assert answers.remarks[2:4] == [f"{path}: not a file of answers; left out" for path in (picture, long)]


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", HEAD.encode(), b"x" * 10_000_001])
def test_files_without_any_answer_are_refused(small: Key, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_answers([path], small)
    assert len(str(caught.value).splitlines()) == 2
    with pytest.raises(InputError, match="No file of answers"):
        read_answers([], small)
