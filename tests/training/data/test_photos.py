"""Crops, held-out photos, draws and codes of a picture set."""

from pathlib import Path

import pytest
import torch
from tests.training.wide_data import wide_data

from sonorama.engine.errors import InputError
from sonorama.training.backbone import Backbone
from sonorama.training.data.class_photos import TAGS, WEATHER, class_anchors, weather_of
from sonorama.training.data.photos import (
    CLEAN,
    CropPlan,
    PictureSet,
    code_book,
    crops,
    descriptors,
    photo_tags,
    picture_set,
)

SHAPE = (64, 112)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wide_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def cache(root: Path) -> Path:
    picture_set(root, root / "set.safetensors", *SHAPE, z_dim=8)
    return root / "set.safetensors"


@pytest.fixture
def data(root: Path, cache: Path) -> PictureSet:
    return picture_set(root, cache)


def test_every_crop_has_the_worlds_shape_and_lies_inside_its_photo(root: Path) -> None:
    from torchvision.io import decode_image

    for crop in crops(root, 7 / 4, CropPlan()):
        left, top, width, height = crop.box
        assert min(left, top) >= 0 and left + width <= 1 + 1e-6 and top + height <= 1 + 1e-6
        _, rows, columns = decode_image(str(crop.path)).shape
        assert width * columns / (height * rows) == pytest.approx(7 / 4, rel=1e-6)


def test_a_tall_photo_gives_two_full_crops_and_a_wide_one_gives_one(root: Path) -> None:
    by_name: dict[str, list[bool]] = {}
    for crop in crops(root, 7 / 4, CropPlan()):
        by_name.setdefault(crop.path.stem, []).append(crop.whole)
    assert by_name["square"] == [True, True, False]
    assert by_name["wide_00"] == [True, False]


def test_an_eighth_of_the_photos_is_held_out_whole_and_never_a_lone_class(data: PictureSet) -> None:
    held = set(data.photo[data.held].tolist())
    assert held.isdisjoint(data.photo[~data.held].tolist())
    assert len(held) == pytest.approx(len(data.photo.unique()) / 8, abs=1.5)
    assert (data.weight[data.held] == 0).all() and (data.weight[~data.held] > 0).all()


def test_the_only_photo_of_a_class_is_never_held_out(root: Path) -> None:
    kept = {crop.path.stem for crop in crops(root, 7 / 4, CropPlan()) if not crop.held}
    held = {crop.path.stem for crop in crops(root, 7 / 4, CropPlan()) if crop.held}
    assert "lone" in kept
    assert {name.split("_")[0] for name in held} <= {"wide", "hill", "lake"}


def test_seven_draws_in_ten_are_clean_and_panorama_views_weigh_a_fifth(data: PictureSet, root: Path) -> None:
    clean = data.class_id == CLEAN
    assert data.weight[clean].sum().item() == pytest.approx(0.7, abs=1e-5)
    found = crops(root, 7 / 4, CropPlan())
    view = next(i for i, c in enumerate(found) if c.path.parent.name == "panoramas" and not c.held)
    photo = next(i for i, c in enumerate(found) if c.path.stem.startswith("wide") and not c.held)
    assert (data.weight[photo] / data.weight[view]).item() == pytest.approx(5)


def test_views_of_a_panorama_are_not_taught_at_full_resolution(root: Path, data: PictureSet) -> None:
    views = torch.tensor([c.path.parent.name == "panoramas" for c in crops(root, 7 / 4, CropPlan())]).repeat(2)
    assert not data.sharp[views].any()
    assert data.sharp[~views & data.whole].all()


def test_the_code_book_does_not_depend_on_the_scenes(root: Path, tmp_path: Path, data: PictureSet) -> None:
    other = picture_set(root, tmp_path / "set.safetensors", *SHAPE, z_dim=8, scene=lambda x, *_: 1 - x)
    clean = data.class_id == CLEAN
    assert torch.equal(other.codes[clean], data.codes[clean])
    assert not torch.equal(other.codes[~clean], data.codes[~clean])
    assert not torch.equal(other.pictures[~clean], data.pictures[~clean])


def test_the_kept_code_book_encodes_as_the_set_was_encoded(cache: Path, data: PictureSet) -> None:
    again = code_book(cache).encode(descriptors(data.pictures[:4], Backbone()))
    assert (again - data.codes[:4]).abs().max() < 1e-4
    assert data.codes.norm(dim=1).allclose(torch.tensor(8**0.5))


def test_a_scene_lies_on_its_clean_picture(data: PictureSet) -> None:
    n = int((data.class_id == CLEAN).sum())
    assert torch.equal(data.base[n:], torch.arange(n))
    assert torch.equal(data.photo[n:], data.photo[:n])


def test_smaller_pictures_are_averages(data: PictureSet) -> None:
    index = torch.tensor([3])
    full = data.at(index, 64)
    assert (data.at(index, 32)[0, :, 0, 0] - full[0, :, :2, :2].mean((1, 2))).abs().max() < 1e-5


def test_a_set_made_smaller_holds_averages(data: PictureSet) -> None:
    small = data.smaller(32)
    assert small.pictures.shape[2:] == (32, 56)
    assert (small.at(torch.tensor([2]), 32) - data.at(torch.tensor([2]), 32)).abs().max() < 0.5 / 127
    with pytest.raises(InputError, match="cannot be made 48"):
        data.smaller(48)


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.tsv").write_text("file\tclass\tsource\tauthor\tlicence\n")
    with pytest.raises(InputError, match="no photo"):
        crops(tmp_path, 1.75, CropPlan())


def test_photos_of_a_class_go_by_their_tags(root: Path, data: PictureSet) -> None:
    tags = photo_tags(root)
    assert len(tags) == int(data.photo.max()) + 1
    shown = dict(zip(TAGS, class_anchors(data, tags), strict=True))
    used = (data.class_id == CLEAN) & data.whole & ~data.held
    night = torch.tensor([tag == "night" for tag in tags])[data.photo]
    assert torch.equal(shown["crickets"], data.codes[used & night])
    assert len(shown["volcano_eruption"]) == 1, "the lone photo of lava"
    assert not len(shown["underwater_bubbling"])


def test_a_few_photos_are_places_of_rain_by_what_is_seen_in_them() -> None:
    assert weather_of("photos/opensuse__roll_lcp.jpg", "meadow") in TAGS["raining"]
    assert weather_of("photos/another.jpg", "meadow") == "meadow"
    assert weather_of("photos/lna-photo__ArtisticReflection.jpg", "lake") in TAGS["thunderstorm"]
    assert weather_of("photos/ubuntu-wallpapers__Tranquil_by_Pat_David.jpg", "underwater") == "aquarium"
    assert weather_of("photos/lna-photo__Mountain_River.jpg", "river") == "lake"
    shown = {tag for tags in TAGS.values() for tag in tags}
    assert not shown & {"aquarium", "lake"}, "red corals and water that stands are no place of a class"
    assert {*WEATHER.values()} - {"aquarium", "lake"} <= {*TAGS["raining"], *TAGS["thunderstorm"]}
