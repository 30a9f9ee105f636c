"""A world's networks as ONNX graphs, made once and cached by the world's content hash.

Five graphs instead of one, since each network runs at its own rate (F_a 4 Hz, E_a 10 Hz, E_RNN at the motion rate, G
every frame). All take a batch of one and fixed shapes.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..model.build import Networks, build_networks
from ..model.world_file import World


@dataclass(frozen=True)
class Part:
    """One graph: the module, example inputs by name, and the names of its outputs."""

    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]


def parts(networks: Networks) -> dict[str, Part]:
    """Name -> what to export; inputs and outputs are the ports of the world's card, with a batch of one."""
    modules: dict[str, nn.Module] = {
        "sound": networks.sound,
        "encoder": networks.encoder,
        "motion": networks.motion,
        "synthesis": networks.play(),
        "mapping": networks.generator.mapping,
    }
    ports = networks.card.ports()
    made = {}
    for name, module in modules.items():
        mine = [port for port in ports if port.network == name]
        example = torch.ones if name == "mapping" else torch.zeros  # z is divided by its length
        inputs = {port.name: example(1, *port.shape) for port in mine if port.direction == "in"}
        made[name] = Part(module, inputs, tuple(port.name for port in mine if port.direction == "out"))
    return made


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
