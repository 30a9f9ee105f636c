"""Distances on known cases."""

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import torch
from tests.training.wide_data import picture

from sonorama.engine.errors import InputError
from sonorama.training.backbone import Backbone
from sonorama.training.data.photos import CLEAN, PictureSet
from sonorama.training.metrics.distance import (
    Estimate,
    HeldOutPhotos,
    central_square,
    kernel_distance,
    nearest,
    patches,
    split_distance,
    too_few,
)
from sonorama.training.stages.generator.plan import GeneratorPlan
from sonorama.training.stages.generator.progress import Progress
from sonorama.training.stages.generator.trainer import GeneratorTrainer


def test_two_samples_of_one_distribution_are_at_distance_nought() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(2, 400, 20)
    assert abs(kernel_distance(a, b)) < 0.05
    assert kernel_distance(a, b + 1) > 0.5


def test_the_kernel_distance_has_its_closed_form() -> None:
    # One dimension, two points each: every kernel value is (x y + 1)^3.
    a, b = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [2.0]])
    assert kernel_distance(a, b) == pytest.approx(1 + 1 - 2 * (1 + 1 + 1 + 27) / 4)


def test_the_interval_is_students() -> None:
    found = Estimate.of([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found.mean == 3
    assert found.high - found.mean == pytest.approx(2.776 * 2.5**0.5 / 5**0.5)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)


def test_the_interval_of_equal_distributions_holds_nought_and_of_others_does_not() -> None:
    torch.manual_seed(1)
    a, b, group = torch.randn(300, 16), torch.randn(200, 16), torch.arange(300)
    same = split_distance(a, group, b, group[:200])
    assert same.low < 0 < same.high
    assert split_distance(a + 0.7, group, b, group[:200]).low > 100


def test_nearest_is_nought_for_copies_and_one_for_strangers() -> None:
    x = torch.eye(4)
    assert nearest(x[:2], x) == pytest.approx(0, abs=1e-6)
    assert nearest(x[:2], x[2:]) == pytest.approx(1)


def test_patches_are_cut_from_the_picture_at_full_resolution() -> None:
    x = torch.arange(128 * 224).reshape(1, 1, 128, 224).expand(2, 3, -1, -1)
    cut = patches(x, 3)
    assert cut.shape == (6, 3, 96, 96)
    assert (cut[:, 0, 1, 0] - cut[:, 0, 0, 0] == 224).all()
    assert len({int(c[0, 0, 0]) for c in cut}) == 6


def test_the_central_square_is_central() -> None:
    x = torch.arange(28).expand(1, 3, 16, 28)
    assert central_square(x)[0, 0, 0].tolist() == list(range(6, 22))


def photos() -> PictureSet:
    """48 photos, half of them held out."""
    n = 48
    rows, yes = torch.arange(n), torch.ones(n, dtype=torch.bool)
    pictures = torch.stack([picture(i, 112, 196) for i in range(n)])
    return PictureSet(
        pictures, torch.full((n,), CLEAN), rows, rows, torch.randn(n, 4), torch.ones(n), yes, yes, rows % 2 == 0
    )


def test_photos_are_nearer_to_held_out_photos_than_noise_is() -> None:
    torch.set_grad_enabled(False)
    try:
        data = photos()
        real = HeldOutPhotos(data, Backbone())
        fresh = torch.stack([picture(500 + i, 112, 196) for i in range(25)])
        good, bad = real.compare(fresh), real.compare(torch.randint(0, 256, fresh.shape, dtype=torch.uint8))
        copied = real.compare(data.pictures[~data.held])
    finally:
        torch.set_grad_enabled(True)
    assert good.whole.mean < bad.whole.low
    assert good.patch.mean < bad.patch.low
    assert copied.nearest == pytest.approx(0, abs=1e-4)
    assert min(good.nearest, bad.nearest) > 0.1
    assert good.whole_copying == good.whole.mean
    assert abs(copied.whole_copying) > 1000 * abs(copied.whole.mean)
    assert good.whole_real == bad.whole_real
    assert set(good.table()) == {
        "whole",
        "whole_real",
        "patch",
        "patch_real",
        "nearest",
        "nearest_held",
        "whole_copying",
    }


@pytest.mark.parametrize(
    ("held", "sharp", "words"),
    [
        (2, 48, "2 photos are kept out, distances need 3"),
        (40, 48, "8 photos are trained on, distances need 10"),
        (24, 0, "0 photos of full resolution are kept out"),
        (3, 12, "9 photos of full resolution are trained on"),
    ],
)
def test_a_small_data_set_has_no_distances(held: int, sharp: int, words: str) -> None:
    data, rows = photos(), torch.arange(48)
    few = replace(data, held=rows < held, sharp=rows < sharp)
    assert too_few(data) is None
    assert words in str(too_few(few))
    with pytest.raises(InputError, match=words):
        HeldOutPhotos(few, Backbone())


def test_the_smallest_that_has_some() -> None:
    data, rows = photos(), torch.arange(48)
    least = replace(data, held=rows < 3, sharp=rows < 13)
    with torch.no_grad():
        found = HeldOutPhotos(least, Backbone()).compare(data.pictures[:20])
    assert found.whole.low < found.whole.mean < found.whole.high
    assert found.patch_real.low < found.patch_real.mean < found.patch_real.high


def test_a_training_on_few_photos_goes_on_without_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    few = replace(photos(), held=torch.arange(48) < 1)
    Progress(tmp_path, few, GeneratorPlan()).measure(cast(GeneratorTrainer, None))
    assert "no distances to photos: 1 photos are kept out" in caplog.text
    assert not [*tmp_path.iterdir()]
