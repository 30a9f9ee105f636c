"""Everything that decides how a world comes out, besides the data; one work folder holds one recipe."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import msgspec

from ..engine.errors import InputError
from ..engine.files.atomic import write_bytes
from ..engine.model.generator import GeneratorConfig
from ..engine.model.seed_bank import SEEDS
from .data.inverted_clips import ClipPlan
from .data.procedural_clips import SceneClipPlan
from .played_strength import PlayedStrength
from .stages.adversarial_plan import AdversarialTraining
from .stages.directions import DirectionTraining
from .stages.ears.listening import EarsTraining
from .stages.generator.plan import WIDE, GeneratorPlan, grown_to
from .stages.joint_space import JointTraining
from .stages.motion_rest import RestTraining
from .stages.motion_teacher import MotionTraining
from .stages.sound_inversion import EncoderTraining

FILE = "recipe.json"


@dataclass(frozen=True)
class Recipe:
    """Plans of all stages, in their order.

    bank: seeds whose pictures a prompt chooses from. played: how strongly the world plays what was learned.
    """

    generator: GeneratorConfig = WIDE
    stage_0: GeneratorPlan = field(default_factory=GeneratorPlan)
    ears: EarsTraining = field(default_factory=EarsTraining)
    joint: JointTraining = field(default_factory=JointTraining)
    directions: DirectionTraining = field(default_factory=DirectionTraining)
    encoder: EncoderTraining = field(default_factory=EncoderTraining)
    clips: ClipPlan = field(default_factory=ClipPlan)
    motion: MotionTraining = field(default_factory=MotionTraining)
    scenes: SceneClipPlan = field(default_factory=SceneClipPlan)
    adversarial: AdversarialTraining = field(default_factory=AdversarialTraining)
    rest: RestTraining = field(default_factory=RestTraining)
    bank: int = SEEDS
    played: PlayedStrength = field(default_factory=PlayedStrength)

    def up_to(self, size: int) -> Recipe:
        """The same, but the generator grows to `size` px of height at most."""
        stage_0 = replace(self.stage_0, phases=grown_to(self.stage_0.phases, size))
        return replace(self, generator=replace(self.generator, size=size), stage_0=stage_0)

    def scaled(self, share: float) -> Recipe:
        """Every stage at `share` of its length (steps, pictures, windows, clips; at least one of each)."""

        def part(n: int) -> int:
            return max(1, round(n * share))

        phases = tuple(replace(p, images=part(p.images)) for p in self.stage_0.phases)
        start, full = (round(n * share) for n in self.stage_0.judges_over)
        ears, joint, encoder = self.ears, self.joint, self.encoder
        ticks = max(4, part(self.clips.ticks))
        return replace(
            self,
            stage_0=replace(self.stage_0, phases=phases, judges_over=(start, max(full, start + 1))),
            ears=replace(
                ears,
                shards=part(ears.shards),
                distil=replace(ears.distil, steps=part(ears.distil.steps)),
                drawn=part(ears.drawn),
                labelled=part(ears.labelled),
                mixed=part(ears.mixed),
            ),
            joint=replace(
                joint,
                names_steps=part(joint.names_steps),
                words_steps=part(joint.words_steps),
                sound_steps=part(joint.sound_steps),
                real=part(joint.real),
                procedural=part(joint.procedural),
            ),
            directions=replace(self.directions, steps=part(self.directions.steps)),
            encoder=replace(encoder, steps=part(encoder.steps)),
            clips=replace(
                self.clips,
                clips=part(self.clips.clips),
                ticks=ticks,
                steps=part(self.clips.steps),
                first_steps=part(self.clips.first_steps),
            ),
            motion=replace(self.motion, steps=part(self.motion.steps)),
            scenes=replace(self.scenes, clips=part(self.scenes.clips)),
            adversarial=replace(self.adversarial, steps=part(self.adversarial.steps), ticks=ticks),
            rest=self.rest.shorter(share, 1),
            bank=part(self.bank),
        )

    @staticmethod
    def read(folder: Path) -> Recipe:
        """The recipe of a work folder. InputError where there is none, or one of another version."""
        try:
            return msgspec.json.decode((folder / FILE).read_bytes(), type=Recipe)
        except (OSError, msgspec.DecodeError) as error:
            raise InputError(
                f"{folder}: no recipe that can be read", "Name the --work folder of a training."
            ) from error

    def claim(self, folder: Path) -> None:
        """Write the recipe into a work folder. InputError where another one was begun there: stages that are passed
        over because their files are there would belong to that one.
        """
        path, text = folder / FILE, json.dumps(asdict(self), indent=1)
        # What an older version did not write down has its default; the rest must be the same.
        if path.is_file() and path.read_text() != text and Recipe.read(folder) != self:
            raise InputError(f"{folder}: a world of another recipe was begun there", "Give another folder with --work.")
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(path, text.encode())
