"""FVD's and IS's formulas by hand, and I3D's layout; its published weights are not here."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sonorama.engine.errors import InputError
from sonorama.training.metrics.i3d import I3D, load_i3d
from sonorama.training.metrics.video_distance import frechet, i3d_scores, inception_score


def test_frechet_distance_of_known_gaussians() -> None:
    """One dimension: (m - n)^2 + (s - t)^2; rotated axes change nothing."""
    rng = torch.Generator().manual_seed(1)
    x = torch.randn(4000, 3, generator=rng)
    x = (x - x.mean(0)) / x.std(0)
    x = x @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(x.T))).T  # exactly white
    scale, shift = torch.tensor([1.0, 2.0, 0.5]), torch.tensor([0.0, 1.0, -2.0])
    assert frechet(x, x) == pytest.approx(0, abs=1e-4)
    assert frechet(x, x * scale + shift) == pytest.approx(0 + 1 + 0.25 + 1 + 4, rel=1e-3)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=rng))[0]
    assert frechet(x @ turn, (x * scale + shift) @ turn) == pytest.approx(6.25, rel=1e-3)


def test_inception_score_counts_equally_likely_certain_classes() -> None:
    assert inception_score(50 * torch.eye(5)) == pytest.approx(5)
    assert inception_score(torch.zeros(7, 5)) == pytest.approx(1)


def test_i3d_has_the_published_layout() -> None:
    """12.3 million parameters under the names of rgb_imagenet.pt; 16 frames become one place in time."""
    net = I3D()
    state = net.state_dict()
    assert sum(p.numel() for p in net.parameters()) == 12_697_264
    for name, shape in {
        "Conv3d_1a_7x7.conv3d.weight": (64, 3, 7, 7, 7),
        "Conv3d_2c_3x3.bn.running_var": (192,),
        "Mixed_4f.b2b.conv3d.weight": (128, 32, 3, 3, 3),
        "Mixed_5c.b3b.conv3d.weight": (128, 832, 1, 1, 1),
        "logits.conv3d.bias": (400,),
    }.items():
        assert tuple(state[name].shape) == shape


def test_i3d_reads_weights_and_scores_clips(tmp_path: Path) -> None:
    torch.manual_seed(2)
    made = I3D()
    torch.save(made.state_dict(), tmp_path / "i3d.pt")
    net = load_i3d(tmp_path / "i3d.pt")
    clip = torch.rand(17, 3, 32, 40) * 2 - 1
    scores = i3d_scores([clip], net)
    assert scores.shape == (1, 400)
    assert torch.equal(scores, i3d_scores([clip[:16]], made))
    with pytest.raises(ValueError, match="16 frames"):
        i3d_scores([clip[:15]], net)


@pytest.mark.parametrize("content", ["text", "other", "object", "nothing"])
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "i3d.pt"
    if content == "text":
        path.write_text("no weights")
    elif content == "other":
        torch.save({"x": torch.zeros(2)}, path)
    elif content == "object":
        torch.save({"x": np.ma.array([1])}, path)
    with pytest.raises(InputError, match=r"i3d\.pt"):
        load_i3d(path)
