"""The patch discriminators of eqs. 7 to 9: D_V sees time, and can hear."""

import pytest
import torch

from sonorama.training.discriminators.patches import ImageDiscriminator, PatchPlan, VideoDiscriminator


def clip(seed: int = 0, frames: int = 8) -> torch.Tensor:
    return torch.randn(2, frames, 3, 32, 56, generator=torch.Generator().manual_seed(seed))


def test_scores_judge_patches_and_scales() -> None:
    torch.manual_seed(1)
    plan = PatchPlan(width=8)
    assert [tuple(s.shape) for s in ImageDiscriminator(plan, 32)(clip()[0])] == [(8, 1, 8, 14)]
    assert [tuple(s.shape[3:]) for s in VideoDiscriminator(plan, 32)(clip())] == [(8, 14), (8, 14)]
    assert (plan.depth(64), plan.depth(128), plan.depth(8)) == (3, 4, 1)


def test_a_patch_does_not_see_the_whole_picture() -> None:
    """InstanceNorm mixes places; without it, a change in one corner leaves the scores of the other as they are."""
    torch.manual_seed(1)
    image = ImageDiscriminator(PatchPlan(width=8, layers=1), 32)
    x = clip()[0, :1]
    y = x.clone()
    y[..., :8, :8] += 1
    changed = (image(x)[0] - image(y)[0]).abs()[0, 0]
    assert changed[:4, :4].max() > 1e-3
    assert changed[-6:, -6:].max() == 0


@pytest.mark.parametrize("time", [True, False])
def test_only_with_time_does_the_order_of_frames_count(time: bool) -> None:
    """With kernels of 1 in time another order only reorders the scores, as in the authors' released code."""
    torch.manual_seed(2)
    judge = VideoDiscriminator(PatchPlan(width=8, scales=1, time=time), 32)
    x = clip()
    order = torch.tensor([0, 3, 1, 6, 2, 7, 5, 4])  # the first frame stays: every frame is judged beside it
    a, b = judge(x)[0].mean((1, 3, 4)), judge(x[:, order])[0].mean((1, 3, 4))
    if time:
        assert (a.sort()[0] - b.sort()[0]).abs().max() > 1e-3
    else:
        assert torch.allclose(a[:, order], b, atol=1e-5)


def test_projection_judges_a_clip_with_its_sound() -> None:
    torch.manual_seed(3)
    judge = VideoDiscriminator(PatchPlan(width=8, sound=5), 32)
    sound = torch.randn(2, 5)
    a, b = judge(clip(), sound), judge(clip(), sound.flip(0))
    assert all((x - y).abs().max() > 1e-4 for x, y in zip(a, b, strict=True))
    with pytest.raises(ValueError, match="sound"):
        judge(clip())
