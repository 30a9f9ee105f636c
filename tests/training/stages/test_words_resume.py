"""The stage of words and pictures goes on from its checkpoint as if nothing had come between."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sonorama.engine.errors import InputError
from sonorama.training.data.captions import Captions
from sonorama.training.data.procedural_pictures import CLASSES
from sonorama.training.stages.joint_space import JointTraining, Space
from sonorama.training.stages.joint_words import Scenes, new_space, towers, train_words

PLAN = replace(JointTraining(), words_steps=104, words_batch=4)


def scenes() -> Scenes:
    torch.manual_seed(0)
    names = tuple(sorted(Captions.load().photos)[:3])
    class_id = torch.arange(-1, len(CLASSES)).repeat(3)
    return Scenes(torch.rand(len(class_id), 816), class_id, torch.arange(3).repeat_interleave(10), names)


def trained(checkpoint: Path) -> Space:
    captions, pictures = Captions.load(), scenes()
    torch.manual_seed(1)
    space = new_space(captions, pictures)
    torch.rand(3)  # where the random numbers stand before does not matter
    train_words(space, pictures, captions, PLAN, checkpoint)
    return space


def test_a_run_that_goes_on_ends_where_an_uninterrupted_one_does(tmp_path: Path) -> None:
    path = tmp_path / "words.ckpt"
    whole = trained(path)  # leaves the checkpoint of step 100, which a killed run would go on from
    torch.manual_seed(77)
    parts = trained(path)
    for one, other in zip(towers(whole), towers(parts), strict=True):
        for name, value in one.state_dict().items():
            assert torch.equal(value, other.state_dict()[name]), name
    assert torch.equal(whole.labels, parts.labels)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"words\.ckpt: a damaged checkpoint"):
        trained(path)
