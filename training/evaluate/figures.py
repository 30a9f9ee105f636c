"""Figures of one film: whether its picture means, and moves with, what is heard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import mean

import torch
import torch.nn.functional as F
from torch import Tensor

from ..backbone import Backbone, feature_distance
from ..metrics.flow import av_align, flow_strength
from ..metrics.i3d import I3D
from ..metrics.motion import frame_change, onset_correlation

HEIGHT = 96
"""Frames are judged at this height in px, those of smaller worlds as they are."""


@dataclass(frozen=True)
class Reference:
    """What is heard, as figures need it.

    Attributes:
        sound: mean F_a(x) of the recording, unit [D].
        label: F_t of its class, unit [D].
        labels: F_t of all classes [K,D].
        class_id: index of its class.
        onsets: the strongest onset between neighbouring frames [T-1], 0 to 1.

    """

    sound: Tensor
    label: Tensor
    labels: Tensor
    class_id: int
    onsets: Tensor


@dataclass(frozen=True)
class Eyes:
    """See: F_v, pictures [B,3,H,W] in [-1,1] -> unit [B,D]; backbone: of the identity figure; judge: a second one that
    no training used, pictures -> probabilities [B,K], or None. i3d: for FVD and IS, where it is given.
    """

    see: Callable[[Tensor], Tensor]
    backbone: Backbone
    judge: Callable[[Tensor], Tensor] | None = None
    i3d: I3D | None = None


BEGIN = 15
"""Changes between frames at the beginning of a film that onsets are not compared with, of short films half: every film
sets out there, and every sound begins, whatever it is.
"""
SHIFTS = 8
"""So many times, evenly spread over the film, its onsets are moved round for a floor."""


@torch.no_grad()
def film_figures(frames: Tensor, heard: Reference, eyes: Eyes) -> Mapping[str, float]:
    """Figures of a film [T,3,H,W] in [-1,1].

    a<->v, t<->v: cosine of the mean of the frames' unit codes, made unit again, with F_a of the sound and F_t of the
    class (method of the paper's Table 2). named: 1 where that code's nearest label is the class. judged: probability
    that the judge gives the class, mean over frames; judged right: 1 where it is the highest; neither for a class that
    the judge does not know. onset: correlation of onsets with frame differences after BEGIN. AV-Align, likewise.
    "shuffled": the means of both where the onsets begin at another place of the film (SHIFTS), as a floor.
    change: mean change a frame, 8-bit levels. identity: feature distance of
    the frames of the second half to the first frame.
    """
    shown = frames[:: max(1, len(frames) // 16)]
    code = F.normalize(eyes.see(shown).mean(0), dim=0)
    changes = frame_change(frames)
    begin = min(BEGIN, len(changes) // 2)
    moved, onsets, flow = changes[begin:], heard.onsets[begin:], flow_strength(frames)[begin:]
    others = [onsets.roll(len(onsets) * k // (SHIFTS + 1)) for k in range(1, SHIFTS + 1)]
    figures = {
        "a<->v": float(code @ heard.sound),
        "t<->v": float(code @ heard.label),
        "named": float(int((heard.labels @ code).argmax()) == heard.class_id),
        "onset": onset_correlation([moved], [onsets]),
        "onset, shuffled": mean(onset_correlation([moved], [other]) for other in others),
        "AV-Align": av_align(onsets, flow),
        "AV-Align, shuffled": mean(av_align(other, flow) for other in others),
        "change": float(changes.mean()),
        "identity": float(_identity(frames, eyes.backbone)),
    }
    said = torch.zeros(0) if eyes.judge is None else eyes.judge(shown).mean(0)
    if heard.class_id < len(said):
        figures |= {"judged": float(said[heard.class_id]), "judged right": float(int(said.argmax()) == heard.class_id)}
    return figures


def _identity(frames: Tensor, backbone: Backbone) -> Tensor:
    half = frames[len(frames) // 2 :: 4]
    first = [m.expand(len(half), -1, -1, -1) for m in backbone(frames[:1], HEIGHT)]
    return feature_distance(backbone(half, HEIGHT), first).mean()
