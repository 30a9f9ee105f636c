"""The joint space: sounds, words and pictures as unit codes of one width, so that their cosines can be compared.

A world carries three small towers of its own: F_a for sounds, F_t for words, and the head of F_v for pictures (on
top of a frozen backbone that only training needs). Here they are torch modules, for training; a world plays with the
same towers as ONNX graphs (engine/inference/graphs). Named CLIP models are in open_clip_towers.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import WorldError
from ..units import SAMPLE_RATE
from .config import FramesConfig, ImageConfig, SoundConfig, TextConfig
from .frame_encoder import FrameEncoder, frames_config, sounding_frames
from .joint_space import FIRST_WORD, HEAD_WIDTH, token_rows
from .mel import HOP
from .texture_statistics import sounding, statistics


def unit(x: Tensor) -> Tensor:
    """Rows at length 1."""
    return F.normalize(x, dim=-1)


class Perceptron(nn.Module):
    """Two hidden layers: [B,n_in] -> [B,n_out]. Its sizes can be read back from its tensors."""

    def __init__(self, n_in: int, hidden: int, n_out: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.first, self.norm = nn.Linear(n_in, hidden), nn.LayerNorm(hidden)
        self.second, self.last = nn.Linear(hidden, hidden), nn.Linear(hidden, n_out)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """One pass."""
        x = self.dropout(F.silu(self.norm(self.first(x))))
        return self.last(self.dropout(F.silu(self.second(x))))


class Committee(nn.Module):
    """Several perceptrons of two hidden layers side by side: [B,F] -> the unit codes of all [M,B,D]."""

    def __init__(self, members: int, n_in: int, hidden: int, n_out: int, dropout: float = 0.0) -> None:
        super().__init__()

        def layer(a: int, b: int) -> tuple[nn.Parameter, nn.Parameter]:
            bound = a**-0.5
            weight, bias = torch.empty(members, a, b), torch.empty(members, 1, b)
            return nn.Parameter(weight.uniform_(-bound, bound)), nn.Parameter(bias.uniform_(-bound, bound))

        self.weight0, self.bias0 = layer(n_in, hidden)
        self.weight1, self.bias1 = layer(hidden, hidden)
        self.weight2, self.bias2 = layer(hidden, n_out)
        self.gain = nn.Parameter(torch.ones(members, 1, hidden))
        self.shift = nn.Parameter(torch.zeros(members, 1, hidden))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """One pass."""
        x = F.layer_norm(x @ self.weight0 + self.bias0, self.gain.shape[-1:])
        x = self.dropout(F.silu(x * self.gain + self.shift))
        x = self.dropout(F.silu(x @ self.weight1 + self.bias1))
        return unit(x @ self.weight2 + self.bias2)


class SoundEncoder(nn.Module):
    """F_a: log-mel windows [B,1,128,344] in 0..1 -> codes [B,D].

    What is heard first, by a frame encoder or, without one, as statistics of the sound's texture; then a committee of
    small perceptrons whose unit codes are averaged. A code has length 1; silence (no column above -78 dB, or no frame
    above -70 dB) has the code 0: its cosine with everything is 0, and `class_scores` gives it the same score for every
    class. Columns before the sound's start do not count.

    Args:
        features: how many numbers are heard first.
        width, hidden, members, dropout: of the committee.
        frames: sizes of the frame encoder.

    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, features: int, width: int = 128, hidden: int = 128, members: int = 4, dropout: float = 0.0,
        frames: FramesConfig | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.config = SoundConfig(features, width, hidden, members)
        self.frames = None if frames is None else FrameEncoder(frames)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("std", torch.ones(features))
        self.committee = Committee(members, features, hidden, width, dropout)

    @classmethod
    def sized(cls, sound: SoundConfig, frames: FramesConfig | None) -> SoundEncoder:
        """The encoder of these sizes."""
        return cls(sound.features, sound.code_dim, sound.hidden, sound.members, frames=frames)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> SoundEncoder:
        """The encoder of a world's `sound.*` tensors. WorldError if they do not fit."""
        with refusing("sound"):
            members, features, hidden = tensors["committee.weight0"].shape
            made = cls(features, tensors["committee.weight2"].shape[2], hidden, members, frames=_frames(tensors))
            made.load_state_dict(dict(tensors))
        return made.eval()

    def hear(self, window: Tensor) -> Tensor:
        """Windows [B,1,128,344] -> what is heard first [B,F]."""
        return statistics(window) if self.frames is None else self.frames.window(window)

    def standardise(self, measured: Tensor) -> Tensor:
        """What is heard [B,F] -> the same, of mean 0 and deviation 1 over the training sounds, bounded."""
        return ((measured - self.mean) / self.std).clamp(-4, 4)

    def code(self, measured: Tensor) -> Tensor:
        """What is heard [B,F] in windows that hold sound -> unit codes [B,D]."""
        return unit(self.committee(self.standardise(measured)).mean(0))

    def forward(self, window: Tensor) -> Tensor:
        """Codes of windows."""
        there = sounding(window) if self.frames is None else sounding_frames(window)
        return self.code(self.hear(window)) * there.amax(1, keepdim=True)


def _frames(tensors: Mapping[str, Tensor]) -> FramesConfig | None:
    """Sizes of the frame encoder among the tensors of F_a; None where there is none."""
    prefix = "frames."
    found = {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
    return frames_config(found) if found else None


class ImageHead(nn.Module):
    """What F_v adds to its frozen backbone: descriptors [B,F] of pictures -> unit codes [B,D]."""

    mean: Tensor
    std: Tensor

    def __init__(self, features: int, width: int = 128, hidden: int = 256, dropout: float = 0.0) -> None:
        super().__init__()
        self.config = ImageConfig(features, width, hidden)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("std", torch.ones(features))
        self.net = Perceptron(features, hidden, width, dropout)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> ImageHead:
        """The head of a world's `image.*` tensors. WorldError if they do not fit."""
        with refusing("image"):
            hidden, features = tensors["net.first.weight"].shape
            made = cls(features, len(tensors["net.last.bias"]), hidden)
            made.load_state_dict(dict(tensors))
        return made.eval()

    def forward(self, described: Tensor) -> Tensor:
        """Codes of descriptors."""
        return unit(self.net(((described - self.mean) / self.std).clamp(-6, 6)))


class TextTower(nn.Module):
    """F_t: open_clip's text transformer in a small configuration, over the words it was trained with.

    CLIP's table of 49,408 tokens would be most of a small world; only the rows of tokens that occurred in training
    are kept (`vocabulary`, ids of open_clip's tokenizer in rising order), all others share one row.
    """

    vocabulary: Tensor

    def __init__(
        self, vocabulary: Tensor, width: int = 64, layers: int = 3, context: int = 24, out: int = 128, heads: int = 0
    ) -> None:
        """heads: of the attention; 0: one for every HEAD_WIDTH."""
        super().__init__()
        from open_clip.transformer import TextTransformer

        heads = heads or width // HEAD_WIDTH
        self.config = TextConfig(len(vocabulary), out, width, layers, heads, context)
        self.register_buffer("vocabulary", vocabulary.to(torch.int32))
        self.context = context
        rows = FIRST_WORD + len(vocabulary)
        self.net = TextTransformer(context, rows, width, heads, layers, output_dim=out)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], heads: int = 0) -> TextTower:
        """The tower of a world's `text.*` tensors. WorldError if they do not fit."""
        with refusing("text"):
            context, width = tensors["net.positional_embedding"].shape
            layers = 1 + max(int(k.split(".")[3]) for k in tensors if k.startswith("net.transformer.resblocks."))
            out = tensors["net.text_projection"].shape[1]
            made = cls(tensors["vocabulary"], width, layers, context, out, heads)
            made.load_state_dict(dict(tensors))
        return made.eval()

    def rows(self, texts: Sequence[str]) -> Tensor:
        """Texts -> rows of the token table [B,context]."""
        vocabulary = self.vocabulary.tolist()
        return torch.tensor([token_rows(text, vocabulary, self.context) for text in texts])

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Unit codes [B,D] of texts."""
        return unit(self.net(self.rows(texts)))


@contextmanager
def refusing(part: str) -> Iterator[None]:
    """Turns the errors of tensors that do not fit into a WorldError."""
    try:
        yield
    except (KeyError, RuntimeError, ValueError, IndexError) as error:
        reason = str(error).splitlines()[-1].strip()
        raise WorldError(f"the world's {part} tower does not fit: {reason}", "Make this world again.") from error


def window_ends(columns: int) -> list[int]:
    """Where a sound of so many mel columns is heard: every 250 ms from its first second on, and at its end."""
    step, first = SAMPLE_RATE / 4 / HOP, SAMPLE_RATE / HOP
    ends = [round(first + i * step) for i in range(max(0, int((columns - first) / step) + 1))]
    return [*ends, columns] if not ends or columns - ends[-1] > step / 2 else ends
