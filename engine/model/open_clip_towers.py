"""Named CLIP models in the place of a world's own small joint space, through open_clip.

Their weights are large and are not part of sonorama: they are loaded where they are at hand (a file, a folder, or
open_clip's download cache) or can be had.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import WorldError
from .joint_embedding import unit

PATIENCE_S = 10.0
HINT = "give NAME:TAG (as open_clip lists them), NAME:FILE with weights at hand, or local-dir:FOLDER"


@dataclass(frozen=True)
class NamedClip:
    """A frozen CLIP model whose image tower is differentiable in the picture."""

    model: Any
    tokenize: Callable[[list[str]], Tensor]
    name: str
    side: tuple[int, int]
    mean: Tensor
    std: Tensor

    def image(self, x: Tensor) -> Tensor:
        """Pictures [B,3,H,W] in [-1,1] -> unit codes [B,D]; resized and normalised as the model wants it."""
        if tuple(x.shape[-2:]) != self.side:
            x = F.interpolate(x, self.side, mode="bicubic", antialias=x.shape[-1] > self.side[1])
        return unit(self.model.encode_image(((x + 1) / 2 - self.mean) / self.std))

    def text(self, texts: Sequence[str]) -> Tensor:
        """Unit codes [B,D] of texts."""
        with torch.no_grad():
            return unit(self.model.encode_text(self.tokenize(list(texts))))


def load_joint(name: str, device: str = "cpu") -> NamedClip:
    """`ViT-B-32:openai`, `ViT-B-32:/weights/file.safetensors` or `local-dir:/folder`.

    WorldError where the model is unknown or its weights cannot be had. Pickled weights are read as numbers only.
    """
    import open_clip

    model_name, _, weights = name.partition(":")
    local = model_name == "local-dir"
    try:
        if local:
            model: Any = open_clip.create_model(name, device=device, weights_only=True)
        else:
            if weights.endswith((".pt", ".bin", ".safetensors")) and not Path(weights).is_file():
                raise FileNotFoundError(f"no such file: {weights}")
            _expect(model_name, weights)
            model = open_clip.create_model(
                model_name, weights, device=device, require_pretrained=True, weights_only=True
            )
        tokenize: Any = open_clip.get_tokenizer(name if local else model_name)
    except _failures() as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise WorldError(f"CLIP model {name}: cannot be loaded: {lines[0][:200]}", HINT) from error
    visual = model.visual
    height, width = visual.image_size if isinstance(visual.image_size, tuple) else (visual.image_size,) * 2
    mean, std = (torch.tensor(v, device=device)[:, None, None] for v in (visual.image_mean, visual.image_std))
    return NamedClip(model.eval().requires_grad_(False), tokenize, name, (height, width), mean, std)


def _expect(model_name: str, tag: str) -> None:
    """OSError where the weights of a tag are neither in the download cache nor to be reached.

    The hub's own client takes three quarters of a minute to say so.
    """
    from huggingface_hub import constants, try_to_load_from_cache
    from open_clip import get_pretrained_cfg
    from open_clip.constants import HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME

    repository, file = os.path.split(get_pretrained_cfg(model_name, tag).get("hf_hub", ""))
    if not repository:
        return  # not on the hub, or no such tag: open_clip says so at once
    names = [file] if file else [HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME]
    if any(isinstance(try_to_load_from_cache(repository, name), str) for name in names):
        return
    try:
        with urlopen(Request(constants.ENDPOINT, method="HEAD"), timeout=PATIENCE_S):  # noqa: S310  the hub's own address
            return
    except HTTPError:
        return  # it answers
    except OSError as error:
        raise OSError(f"its weights are not here and {constants.ENDPOINT} does not answer") from error


def _failures() -> tuple[type[Exception], ...]:
    """What open_clip and its downloader raise for unknown names, missing and foreign files, and no network."""
    from pickle import UnpicklingError

    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    unread = (UnpicklingError, EOFError, LookupError, TypeError, AttributeError)
    return (RuntimeError, OSError, ValueError, *unread, HfHubHTTPError, HFValidationError)
