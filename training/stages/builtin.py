"""The stages of a training, as entry points of `sonorama.training_stages`; ../runner.py says what each does.

Light: torch is imported when a stage runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...engine.plugins.interfaces import StageRun

if TYPE_CHECKING:
    from ..runner import TrainingRun

ORDER = ("generator", "joint", "directions", "recordings", "encoder", "motion", "adversarial", "bank")
"""The order in which ours run."""


def _own(run: StageRun) -> TrainingRun:
    """Ours need all of the run, not only what other packages are shown."""
    from ..runner import TrainingRun

    if not isinstance(run, TrainingRun):
        raise TypeError(f"{type(run).__name__} is no training run")
    return run


class Generator:
    """Stage 0: G learns the pictures."""

    inputs: tuple[str, ...] = ()
    outputs = ("generator",)

    def run(self, run: StageRun, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """generator: model.generator.Generator."""
        from ..runner import generator_stage

        return {"generator": generator_stage(_own(run))}


class Joint:
    """Words, pictures and sounds in one space."""

    inputs: tuple[str, ...] = ()
    outputs = ("space",)

    def run(self, run: StageRun, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """space: joint.Space."""
        from ..joint_stage import joint_stage

        return {"space": joint_stage(_own(run))}


class Directions:
    """A direction in the style space for each class."""

    inputs = ("generator", "space")
    outputs = ("directions",)

    def run(self, run: StageRun, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """directions: Tensor [classes,L,W]."""
        from ..runner import directions_stage

        return {"directions": directions_stage(_own(run), *(inputs[name] for name in self.inputs))}


class Recordings:
    """The log-mel of every recording."""

    inputs = ("space",)
    outputs = ("mels",)

    def run(self, run: StageRun, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """mels: Tensors [128,T], by class."""
        from ..runner import recordings_by_class

        return {"mels": recordings_by_class(_own(run), inputs["space"])}


class Encoder:
    """E_a learns what it adds to the classes' displacements, guided by sound (eqs. 2 and 3)."""

    inputs = ("generator", "space", "directions", "mels")
    outputs = ("guided_encoder",)

    def run(self, run: StageRun, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """guided_encoder: SoundInversionEncoder."""
        from ..runner import encoder_stage

        return {"guided_encoder": encoder_stage(_own(run), *(inputs[name] for name in self.inputs))}


class Motion:
    """E_RNN learns to move by teacher forcing on inverted clips."""

    inputs = ("generator", "space", "guided_encoder", "directions", "mels")
    outputs = ("taught_motion", "clips")

    def run(self, run: StageRun, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """taught_motion: MotionNetwork. clips: inverted clips that it was taught by."""
        from ..motion_stages import motion_stage

        motion, clips = motion_stage(_own(run), *(inputs[name] for name in self.inputs))
        return {"taught_motion": motion, "clips": clips}


class Adversarial:
    """E_RNN and E_a against an image and a video discriminator (eqs. 7 to 9), then E_RNN at rest."""

    inputs = ("generator", "space", "guided_encoder", "taught_motion", "directions", "clips", "mels")
    outputs = ("encoder", "motion")

    def run(self, run: StageRun, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """encoder: SoundInversionEncoder. motion: MotionNetwork."""
        from ..motion_stages import adversarial_stage, rest_stage

        generator, space, guided, taught, directions, clips, mels = (inputs[name] for name in self.inputs)
        made = adversarial_stage(_own(run), generator, space, guided, taught, directions, clips)
        motion = rest_stage(_own(run), generator, space, *made, directions, mels)
        return {"encoder": made[0], "motion": motion}


class Bank:
    """The seed bank: codes of the photos, and the joint code of the picture of each of the first seeds."""

    inputs = ("generator", "space")
    outputs = ("bank",)

    def run(self, run: StageRun, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """bank: Tensors `anchors` [A,Z] and `codes` [seeds,D]."""
        from ..runner import bank_stage

        return {"bank": bank_stage(_own(run), inputs["generator"], inputs["space"])}
