"""All graphs of a world: mapping and synthesis (G), sound (F_a), encoder (E_a), motion (E_RNN), and text (F_t) if any.

Small graphs instead of a single one: each network runs at its own rate (F_a 4 Hz, E_a 10 Hz, E_RNN 15 Hz, G every
frame). All take a batch of one and fixed shapes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .generator import write_mapping, write_synthesis
from .motion_rnn import write_motion
from .sound_encoder import write_sound
from .sound_inversion import write_encoder
from .text_tower import write_text

if TYPE_CHECKING:
    from ...model.world_file import World

WRITERS = {
    "mapping": write_mapping,
    "synthesis": write_synthesis,
    "sound": write_sound,
    "encoder": write_encoder,
    "motion": write_motion,
}


def write_graphs(world: World, folder: Path) -> None:
    """Write NAME.onnx for every network of a world into a folder; about a second.

    Raises:
        WorldError: tensors and card do not go together.

    """
    for name, write in WRITERS.items():
        write(world, folder / f"{name}.onnx")
    if world.card.text is not None:
        write_text(world, folder / "text.onnx")
