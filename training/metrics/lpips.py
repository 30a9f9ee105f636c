"""LPIPS (Zhang et al. 2018), by torchmetrics, which brings its linear layers but downloads the networks below them.

Nothing is downloaded here: users give the weights of AlexNet or VGG16 as torchvision publishes them. Without them
there is no LPIPS.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from torch import Tensor, nn

from ...engine.errors import InputError
from .given_weights import read_given

Net = Literal["alex", "vgg"]
PREFIX = "features."
_FIRST: dict[tuple[int, ...], Net] = {(64, 3, 11, 11): "alex", (64, 3, 3, 3): "vgg"}
"""The first layer of each network."""
_HINT = "Give torchvision's weights of AlexNet (alexnet-owt-7be5be79.pth) or VGG16 (vgg16-397923af.pth)."


class Lpips(nn.Module):
    """Pictures a, b [B,3,H,W] in [-1,1] -> their distance [B]; 0: equal. name: of the network, `alex` or `vgg`."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        from torchmetrics.functional.image import lpips as library  # here because it takes seconds to import

        made: Any = library
        self.name, self._lpips = net, made._NoTrainLpips(net=net, pnet_rand=True)

    def backbone(self) -> dict[str, Tensor]:
        """Its tensors under torchvision's names."""
        # torchmetrics has the layers of `features` in slices, each under its own number.
        return {PREFIX + name.partition(".")[2]: one for name, one in self._lpips.net.state_dict().items()}

    def load(self, given: dict[str, Tensor]) -> None:
        """Take the network's weights, by torchvision's names."""
        for name, own in self.backbone().items():
            own.copy_(given[name])

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """The distance."""
        return self._lpips(a, b).flatten()


def load_lpips(path: Path) -> Lpips:
    """LPIPS on the network whose weights are in a file; which one is seen from them.

    Raises:
        InputError: no such file, or not such weights.

    """
    given = read_given(path, _HINT)
    shapes = {name: tuple(one.shape) for name, one in given.items() if name.startswith(PREFIX)}
    net = _FIRST.get(shapes.get(f"{PREFIX}0.weight", ()))
    if net is not None:
        made = Lpips(net)
        if {name: tuple(one.shape) for name, one in made.backbone().items()} == shapes:
            made.load(given)
            return made
    raise InputError(f"{path}: not the weights of AlexNet or VGG16", _HINT)
