"""The step of a world as ONNX graphs, made once and cached by the world's hash.

Five small graphs instead of one: each part runs at its own rate (F_a 4 Hz, E_a 10 Hz, E_RNN 15 Hz, G every
frame). All take a batch of one and fixed shapes.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..model.build import Networks, build_networks
from ..model.mel import BANDS, ENCODER_COLUMNS, SOUND_COLUMNS
from ..model.world_file import World


@dataclass(frozen=True)
class Part:
    """One graph: the module, example inputs by name, and the names of its outputs."""

    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]


def parts(networks: Networks) -> dict[str, Part]:
    """Name -> what to export."""
    config = networks.generator.config
    ws = torch.zeros(1, config.num_ws, config.w_dim)
    window, long_window = torch.zeros(1, 1, BANDS, ENCODER_COLUMNS), torch.zeros(1, 1, BANDS, SOUND_COLUMNS)
    code = torch.zeros(1, networks.encoder.config.code_dim)
    return {
        "sound": Part(networks.sound, {"window": long_window}, ("code",)),
        "encoder": Part(networks.encoder, {"window": window, "code": code}, ("heard", "presence")),
        "motion": Part(networks.motion, {"u": ws, "h": networks.motion.start()}, ("delta", "h_next")),
        "synthesis": Part(networks.play(), {"ws": ws}, ("picture",)),
        "mapping": Part(networks.generator.mapping, {"z": torch.ones(1, config.z_dim)}, ("w",)),
    }


def export_graphs(world: World, folder: Path) -> None:
    """Write sound.onnx, encoder.onnx, motion.onnx, synthesis.onnx and mapping.onnx of a world into `folder`.

    Takes about half a minute; renamed into place when complete, so that a broken export or two programs at once
    leave no half-made folder.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        for name, part in parts(build_networks(world)).items():
            export_part(part, made / f"{name}.onnx")
        if not folder.is_dir():
            made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def export_part(part: Part, path: Path) -> None:
    """One graph, checked by onnx while it is written."""
    with torch.no_grad():
        program = torch.onnx.export(
            part.module.eval(),
            tuple(part.inputs.values()),
            input_names=list(part.inputs),
            output_names=list(part.outputs),
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise RuntimeError(f"{path.name}: the exporter returned nothing")
    program.save(path)
