import pytest
import torch

from sonorama.training.data.procedural_pictures import CLASSES, draw

PHOTO = torch.rand(3, 48, 64, generator=torch.Generator().manual_seed(0))


def luma(x: torch.Tensor) -> float:
    return float((x * torch.tensor([0.2126, 0.7152, 0.0722])[:, None, None]).sum(0).mean())


@pytest.mark.parametrize("class_id", CLASSES)
def test_strength_decides_and_range_holds(class_id: str) -> None:
    strong = draw(PHOTO, class_id, 1.0, 0.37, 5)
    assert strong.shape == PHOTO.shape
    assert strong.min() >= 0
    assert strong.max() <= 1
    weak = draw(PHOTO, class_id, 0.3, 0.37, 5)
    assert (strong - PHOTO).abs().mean() > (weak - PHOTO).abs().mean() > 0.005


@pytest.mark.parametrize("class_id", CLASSES)
def test_the_same_seed_draws_the_same_and_time_moves_it(class_id: str) -> None:
    assert torch.equal(draw(PHOTO, class_id, 0.9, 2.0, 7), draw(PHOTO, class_id, 0.9, 2.0, 7))
    assert not torch.equal(draw(PHOTO, class_id, 0.9, 2.0, 7), draw(PHOTO, class_id, 0.9, 2.4, 7))


def test_each_weather_looks_like_itself() -> None:
    def drawn(class_id: str) -> torch.Tensor:
        return draw(PHOTO, class_id, 0.9, 0.3, 1)

    assert luma(drawn("thunderstorm")) < luma(PHOTO) - 0.1
    fire, water, rain = drawn("fire_crackling"), drawn("underwater_bubbling"), drawn("raining")
    assert (fire[0] - fire[2]).mean() > (PHOTO[0] - PHOTO[2]).mean() + 0.2
    assert (water[1:].mean(0) - water[0]).mean() > (PHOTO[1:].mean(0) - PHOTO[0]).mean() + 0.1
    assert (rain.amax(0) - rain.amin(0)).mean() < 0.5 * (PHOTO.amax(0) - PHOTO.amin(0)).mean()


def test_unknown_class() -> None:
    with pytest.raises(KeyError):
        draw(PHOTO, "snow", 1.0, 0.0, 0)
