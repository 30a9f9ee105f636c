"""Distances of sets of clips: what is like real clips is nearer, and sets that are too small give none."""

import torch

from sonorama.training.backbone import Backbone
from sonorama.training.evaluate.clip_sets import LEAST, clip_distances
from sonorama.training.evaluate.films import Row
from sonorama.training.metrics.distance import POOLED
from sonorama.training.metrics.video_distance import clip_descriptor, moving_part


def clips(count: int, seed: int, light: float) -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return [(light + 0.3 * torch.randn(16, 3, 32, 32, generator=rng)).clamp(-1, 1) for _ in range(count)]


def rows(name: str, made: list[torch.Tensor]) -> list[Row]:
    backbone = Backbone()
    return [
        Row(name, "rain", "a", seed, {}, descriptor=clip_descriptor(clip, backbone)) for seed, clip in enumerate(made)
    ]


def test_what_is_like_real_clips_is_nearer() -> None:
    real = clips(2 * LEAST, 1, 0.2)
    found = clip_distances(rows("like", clips(LEAST, 2, 0.2)) + rows("dark", clips(LEAST, 3, -0.9)), real, None)
    assert set(found) == {"real", "like", "dark"}
    assert {part["N"] for part in found.values()} == {LEAST}
    like, dark, floor = (found[name]["distance"]["mean"] for name in ("like", "dark", "real"))
    assert abs(like - floor) < 0.1 * (dark - floor)


def moving(seed: int, speed: int) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    picture = torch.nn.functional.interpolate(torch.rand(1, 3, 12, 12, generator=rng), (64, 64), mode="bicubic")[0]
    return torch.stack([picture.roll(speed * t, 2) for t in range(16)]) * 2 - 1


def test_clips_that_move_alike_are_nearer_in_motion_than_still_ones_of_the_same_pictures() -> None:
    real = [moving(k, 4) for k in range(2 * LEAST)]
    same, still = ([moving(k, speed) for k in range(LEAST)] for speed in (4, 0))
    found = clip_distances(rows("same", same) + rows("still", still), real, None)
    near, far = (found[name]["motion"]["mean"] for name in ("same", "still"))
    assert near < 0.3 * far
    descriptor = clip_descriptor(still[0], Backbone())
    assert moving_part(descriptor[None]).abs().max() == 0 < descriptor[:POOLED].abs().max()


def test_sets_that_are_too_small_give_none() -> None:
    real = clips(2 * LEAST, 1, 0.2)
    made = [Row("few", "rain", "a", seed, {}, descriptor=torch.zeros(3)) for seed in range(LEAST)]
    assert clip_distances(made[1:], real, None) == {}
    assert clip_distances(made, real[:-2], None) == {}
    assert clip_distances([Row("short", "rain", "a", 1, {})], real, None) == {}
