"""The judge: its split, its fit, its figures."""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.training.wide_data import picture, wide_data
from torchvision.io import write_jpeg

from sonorama.engine.errors import InputError
from sonorama.training.backbone import Backbone
from sonorama.training.data.photos import CropPlan, crops
from sonorama.training.data.procedural_pictures import CLASSES
from sonorama.training.metrics import judge_report
from sonorama.training.metrics.judge import Judge, accuracy, fit_head
from sonorama.training.metrics.judge_data import NONE, JudgeData, JudgePlan, class_of, joined, judge_data
from sonorama.training.metrics.judge_report import FIGURES, FILE, frozen_judge, judge_figures, judge_table

SMALL = JudgePlan(height=64, width=96, train=10, test=4)
TINY = replace(SMALL, height=32, width=48, train=2, test=2)


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return Backbone()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wide_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def data(root: Path, backbone: Backbone) -> JudgeData:
    with torch.no_grad():
        return judge_data(root, SMALL, backbone)


@pytest.fixture(scope="module")
def judge(data: JudgeData, backbone: Backbone) -> Judge:
    return Judge(fit_head(data.train, SMALL), backbone, SMALL.height)


def held_photos(root: Path) -> set[int]:
    return {c.photo for c in crops(root, 1.5, CropPlan()) if c.held}


def test_the_split_is_by_photo_file(root: Path, data: JudgeData) -> None:
    held = held_photos(root)
    used, tested = set(data.train.photo.tolist()), set(data.test.photo.tolist())
    assert len(held) == 3
    assert not used & held
    assert tested == held | {-1}
    assert set(data.other.photo.tolist()) <= held
    assert len(used) > 15


def test_kept_out_photos_do_not_touch_the_training(tmp_path: Path, backbone: Backbone) -> None:
    root = wide_data(tmp_path)
    with torch.no_grad():
        before = judge_data(root, TINY, backbone)
        for crop in crops(root, 1.5, CropPlan()):
            if crop.held:
                write_jpeg(picture(700 + crop.photo, 96, 168), str(crop.path))
        after = judge_data(root, TINY, backbone)
    assert torch.equal(after.train.features, before.train.features)
    assert not torch.equal(after.test.features, before.test.features)


def test_a_tag_belongs_to_the_class_that_lists_it_first() -> None:
    assert CLASSES[class_of("fire")] == "fire_crackling"
    assert CLASSES[class_of("lava")] == "volcano_eruption"
    assert CLASSES[class_of("forest_stream")] == "waterfall_burbling"
    assert CLASSES[class_of("raining")] == "raining", "photos of footage bear the class's own name"
    assert class_of("lake") == NONE


def test_kept_out_drawings_are_named_and_not_by_chance(data: JudgeData, judge: Judge) -> None:
    drawn = data.test.at(data.test.drawn)
    found = accuracy(judge.head.probabilities(drawn.features), drawn.class_id)
    assert found.low > 0.3
    mixed = torch.randperm(len(data.train.class_id), generator=torch.Generator().manual_seed(0))
    random = fit_head(replace(data.train, class_id=data.train.class_id[mixed]), SMALL)
    by_chance = accuracy(random.probabilities(drawn.features), drawn.class_id)
    assert by_chance.top1 < found.low


def test_the_fit_is_the_same_on_every_run(data: JudgeData, judge: Judge) -> None:
    torch.manual_seed(5)
    again = fit_head(data.train, SMALL)
    for name, tensor in vars(judge.head).items():
        assert torch.equal(getattr(again, name), tensor)


def test_probabilities_of_pictures(judge: Judge) -> None:
    x = torch.stack([picture(i, 80, 120) for i in range(3)])
    p = judge(x)
    assert p.shape == (3, len(CLASSES))
    assert p.sum(1).allclose(torch.ones(3))
    assert judge(x.float() / 127.5 - 1).allclose(p, atol=1e-5)
    assert ((judge.shows_none(x) > 0) & (judge.shows_none(x) < 1)).all()


def test_accuracy_weighs_clips_and_classes_alike() -> None:
    class_id = torch.tensor([0, 0, 0, 0, 1])
    named = torch.tensor([0, 0, 0, 1, 2])
    found = accuracy(torch.nn.functional.one_hot(named, 9).float(), class_id, [7, 7, 7, 8, 9])
    assert found.by_class == {CLASSES[0]: 0.5, CLASSES[1]: 0.0}
    assert found.clips == {CLASSES[0]: 2, CLASSES[1]: 1}
    assert found.top1 == 0.25
    assert (found.low, found.high) == (0.0, 0.5)
    assert accuracy(torch.nn.functional.one_hot(class_id, 9).float(), class_id).low == 1
    with pytest.raises(ValueError, match="no frames"):
        accuracy(torch.zeros(0, 9), torch.zeros(0, dtype=torch.long))


def test_a_class_with_few_kept_out_photos_counts_as_drawn_only(data: JudgeData, judge: Judge) -> None:
    few = judge_figures(judge, data, SMALL)
    meadow = few["by_class"]["squishing_water"]
    assert all(row["drawn_only"] for row in few["by_class"].values())
    assert meadow["real"] == 1
    assert meadow["top1"] == meadow["drawn"]
    assert few["photos_cross_validated"]["of"] == 10, "7 meadows, 2 panoramas of meadows, one of lava"
    photo = data.test.at(~data.test.drawn & (data.test.class_id == CLASSES.index("squishing_water")))
    more = replace(data, test=joined(data.test, photo, photo))
    many = judge_figures(judge, more, SMALL)["by_class"]["squishing_water"]
    assert not many["drawn_only"]
    assert many["top1"] == pytest.approx((many["drawn"] + 100 * many["real_right"] / 3) / 2, abs=0.06)
    table = judge_table(few)
    assert table.count("drawn only") == len(CLASSES)
    assert f"| raining | {few['by_class']['raining']['top1']} % |" in table


def test_the_command_fits_once_and_reads_then(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(judge_report, "JudgePlan", lambda: TINY)
    args = argparse.Namespace(data=str(root), work=tmp_path / "work")
    assert judge_report.run_judge(args) == 0
    table = capsys.readouterr().out
    first = {p: p.stat().st_mtime_ns for p in (tmp_path / "work").rglob("*") if p.is_file()}
    assert judge_report.run_judge(args) == 0
    assert capsys.readouterr().out == table
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "work").rglob("*") if p.is_file()} == first
    assert sum(p.suffix == ".png" for p in first) == len(CLASSES) + 1
    kept, _ = frozen_judge(root, tmp_path / "work", TINY)
    x = torch.stack([picture(1, 80, 120)])
    assert json.loads((tmp_path / "work" / FIGURES).read_text())["key"]
    frozen_judge(root, tmp_path / "work", replace(TINY, decay=0.1))
    other, _ = frozen_judge(root, tmp_path / "work", replace(TINY, decay=0.1))
    assert not torch.equal(other(x), kept(x)), "another plan is another judge"


@pytest.mark.parametrize("name", [FILE, FIGURES])
def test_a_file_that_is_not_a_judges_is_left_alone(root: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("my own")
    with pytest.raises(InputError, match=name):
        frozen_judge(root, tmp_path, TINY)
    assert (tmp_path / name).read_text() == "my own"


def test_a_folder_without_kept_out_photos_is_refused(tmp_path: Path, backbone: Backbone) -> None:
    with pytest.raises(InputError, match="too few photos"):
        judge_data(wide_data(tmp_path, photos=2), TINY, backbone)
