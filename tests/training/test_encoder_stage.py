"""E_a in a work folder that was begun with other sizes: two lines, not a traceback."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from sonorama.engine.errors import InputError
from sonorama.engine.model.config import EncoderConfig, GeneratorConfig
from sonorama.engine.model.generator import Generator
from sonorama.engine.model.sound_inversion import SoundInversionEncoder
from sonorama.training.recipe import Recipe
from sonorama.training.runner import encoder_stage

SMALL = GeneratorConfig(64, 16, 32, 1, 512, 16)


@pytest.mark.parametrize("widths", [Recipe().encoder.widths, (32, 64, 128, 192)])
def test_an_encoder_of_other_sizes_is_refused(tmp_path: Path, widths: tuple[int, ...]) -> None:
    generator = Generator(SMALL)
    there = SoundInversionEncoder(EncoderConfig(10, SMALL.w_dim, 8, widths)).state_dict()
    shop: Any = SimpleNamespace(
        work=tmp_path, recipe=Recipe(), pictures=lambda: None, once=lambda name, make: there, tell=lambda name: print
    )
    space: Any = SimpleNamespace(labels=torch.zeros(9, 8), ears=lambda: None, eyes=lambda: None)
    if widths == Recipe().encoder.widths:
        assert encoder_stage(shop, generator, space, torch.zeros(9, 10, 32), []).config.widths == widths
    else:
        with pytest.raises(InputError, match="is an E_a of other sizes than the recipe's"):
            encoder_stage(shop, generator, space, torch.zeros(9, 10, 32), [])
