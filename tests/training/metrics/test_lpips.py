"""LPIPS on a network that the user gives."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from sonorama.engine.errors import InputError
from sonorama.training.metrics.inversion import _seen_by, _table
from sonorama.training.metrics.lpips import Lpips, load_lpips

ENDS = (1, 4, 7, 9, 11)
"""Layers of AlexNet after which LPIPS compares: its five ReLUs."""


def weights(net: nn.Module, folder: Path) -> Path:
    """As torchvision publishes them, without the larger layers of the classifier."""
    small = {name: one for name, one in net.state_dict().items() if "classifier" not in name or one.dim() == 1}
    torch.save(small, folder / "net.pth")
    return folder / "net.pth"


@pytest.fixture(scope="module")
def alexnet() -> torchvision.models.AlexNet:
    torch.manual_seed(0)
    return torchvision.models.alexnet(weights=None).eval()


@pytest.fixture(scope="module")
def lpips(alexnet: torchvision.models.AlexNet, tmp_path_factory: pytest.TempPathFactory) -> Lpips:
    return load_lpips(weights(alexnet, tmp_path_factory.mktemp("given")))


def pictures(count: int) -> Tensor:
    return torch.rand(count, 3, 64, 112, generator=torch.Generator().manual_seed(1)) * 2 - 1


@torch.no_grad()
def by_hand(net: torchvision.models.AlexNet, lin: list[Tensor], a: Tensor, b: Tensor) -> Tensor:
    """Equation 1 of Zhang et al. 2018, on pictures normalised as ImageNet's are in its published code."""
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    x, y = ((p - shift[:, None, None]) / scale[:, None, None] for p in (a, b))
    total = torch.zeros(len(a))
    for number, layer in enumerate(net.features):
        x, y = layer(x), layer(y)
        if number in ENDS:
            apart = (F.normalize(x, dim=1) - F.normalize(y, dim=1)).square()
            total += F.conv2d(apart, lin[ENDS.index(number)]).mean((1, 2, 3))
    return total


def test_it_is_the_published_distance(alexnet: torchvision.models.AlexNet, lpips: Lpips) -> None:
    assert lpips.name == "alex"
    a, b = pictures(4).split(2)
    lin = [one for name, one in lpips.state_dict().items() if ".lin" in name][:5]
    assert [one.shape[1] for one in lin] == [64, 192, 384, 256, 256] and all(one.min() >= 0 for one in lin)
    torch.testing.assert_close(lpips(a, b), by_hand(alexnet, lin, a, b))
    assert lpips(a, a).abs().max() == 0.0 and lpips(a, b).min() > 0.0


def test_the_network_is_seen_from_its_weights(tmp_path: Path) -> None:
    layers = torchvision.models.vgg.make_layers(torchvision.models.vgg.cfgs["D"])
    assert load_lpips(weights(nn.ModuleDict({"features": layers}), tmp_path)).name == "vgg"


@pytest.mark.parametrize("content", [b"", b"PK", b"text", None])
def test_other_files_are_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    if content is None:
        torch.save(nn.Linear(2, 3).state_dict(), path)
    else:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"net\.pth") as caught:
        load_lpips(path)
    assert "alexnet" in caught.value.hint
    with pytest.raises(InputError, match="cannot be read"):
        load_lpips(tmp_path / "none.pth")


def test_it_is_a_column_of_the_table(lpips: Lpips) -> None:
    photos = [*pictures(2).split(1)]
    near, far = torch.cat(photos), -torch.cat(photos)
    column = _seen_by(lpips, photos, [near, far])
    assert column[0] == 0.0 < column[1]
    rows = {"encoder alone": torch.ones(2, 4).numpy(), "L2": torch.zeros(2, 4).numpy()}
    lines = _table(rows, {"LPIPS (alex)": column}).splitlines()
    assert lines[0].endswith("| w-norm | LPIPS (alex) |") and lines[2].endswith("| 1.00 | 0.000 |")
    assert lines[3].endswith(f"| 0.00 | {column[1]:.3f} |")
