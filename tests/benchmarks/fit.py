"""What E_a adds to an imported world, by sounds it was not fitted to: python tests/benchmarks/fit.py [steps seeds].

The generator of `meridian` is imported (a bank of 512 plain seeds), and E_a fitted to it by procedural sounds (80
steps). Pictures of other procedural sounds and of recordings in examples/ are then painted with the displacements
and places of the classes alone, and with what E_a adds, at places and at random seeds. Printed are the means of the
own class's cosine above the mean of all classes, and the share of pictures that are of their own class first.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sonorama.engine.model.build import build_networks
from sonorama.engine.model.mel import ENCODER_COLUMNS, SOUND_COLUMNS
from sonorama.engine.model.sound_inversion import SoundInversionEncoder
from sonorama.engine.model.world_file import World, load_world, save_world
from sonorama.plugin.worlds.bank import eyes
from sonorama.plugin.worlds.imported import Imported, Source
from sonorama.plugin.worlds.painting import paint_banks
from sonorama.plugin.worlds.stylegan2 import Converted
from sonorama.training.data.sound_windows import ending_at
from sonorama.training.fit import fit, sounds
from sonorama.training.stages.motion_by_sound import Fixed
from sonorama.training.stages.sound_inversion import PSI, displaced

EXAMPLES = Path(__file__).parents[2] / "examples"
RECORDINGS = {
    "rain": "raining", "fire": "fire_crackling", "thunder-1": "thunderstorm", "thunder-2": "thunderstorm",
    "thunder-3": "thunderstorm", "underwater": "underwater_bubbling", "waterfall": "waterfall_burbling",
}  # fmt: skip


def as_if_imported(path: Path, seeds: int) -> World:
    """`meridian`'s generator as an imported world."""
    base = load_world("meridian")
    tensors = {name: x for name, x in base.part("generator").items() if name != "mapping.w_std"}
    made = Imported(Source("meridian", "0", "imported", ""), base, Converted(base.card.generator, tensors, 0.0))
    (bank,) = paint_banks(World(*made.world(None)), made.generator, eyes(base), [seeds], lambda *_: None)
    save_world(path, *made.world(bank))
    return load_world(path)


def held_out(classes: Sequence[str], known: Sequence[bool]) -> Iterator[tuple[str, int, Tensor]]:
    """Kind, class and log-mel [128,T] of sounds that are not fitted to."""
    for index, name in enumerate(classes):
        if known[index]:
            yield from (("procedural", index, sounds._drawn(name, number)) for number in range(100, 103))
    for file, name in RECORDINGS.items():
        if (mel := sounds._read(EXAMPLES / f"{file}.ogg")) is not None:
            yield "recording", classes.index(name), mel


@torch.no_grad()
def scores(fixed: Fixed, encoder: SoundInversionEncoder, index: int, mel: Tensor, at_place: bool) -> Tensor:
    """Cosines [2,4,K] with every class, of pictures without E_a and with it."""
    found = []
    for end in (mel.shape[1], max(ENCODER_COLUMNS, mel.shape[1] * 2 // 3)):
        code = fixed.judges.hear(ending_at(mel, end, SOUND_COLUMNS)[None])
        base = fixed.generator.mapping(torch.randn(2, fixed.generator.config.z_dim, generator=RNG), PSI)
        if at_place and fixed.places is not None:
            w_avg = fixed.generator.mapping.w_avg
            base = fixed.places.go(base, [index] * 2, torch.ones(2), PSI, w_avg, RNG)
        window, way = ending_at(mel, end, ENCODER_COLUMNS)[None], fixed.displacements[index][None]
        moved, own, _ = displaced(encoder, window, code, way)
        pictures = fixed.generator.synthesis(torch.cat([base + moved - own, base + moved]), "const", 128, "activations")
        found.append((fixed.judges.see(pictures) @ fixed.judges.labels.T).unflatten(0, (2, 2)))
    return torch.cat(found, 1)


RNG = torch.Generator().manual_seed(77)


def main() -> None:
    """Import, fit, compare."""
    steps, seeds = (int(x) for x in (*sys.argv[1:3], *("80", "512")[len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as folder:
        world = as_if_imported(Path(folder) / "imported.safetensors", seeds)
    built = build_networks(world)
    mels, _ = sounds.by_class(world, [], built.sound)
    fixed, (encoder, _) = fit._fixed(world, built), fit._new(world, built)
    print(fit._guide(encoder, fixed, mels, fit._how(fixed, [steps])), flush=True)
    encoder.eval().requires_grad_(False)
    rows: dict[tuple[str, str], list[np.ndarray]] = {}
    for kind, index, mel in held_out(world.card.classes, [bool(some) for some in mels]):
        for where in ("places", "seeds"):
            cosines = scores(fixed, encoder, index, mel, where == "places").numpy()
            above = cosines[..., index] - cosines.mean(2)
            first = cosines.argmax(2) == index
            rows.setdefault((kind, where), []).append(np.stack([above, first]))
    for (kind, where), found in rows.items():
        above, first = np.concatenate(found, 2)  # [2,N] each
        what = f"{kind} sounds, at {where}, {above.shape[1]} pictures"
        print(f"{what}: cosine above the mean {above[0].mean():.3f}, with E_a {above[1].mean():.3f}; ", end="")
        print(f"own class first {first[0].mean():.0%}, {first[1].mean():.0%}")


if __name__ == "__main__":
    main()
