"""The frame encoder: level, silence, and which frames count."""

import pytest
import torch

from sonorama.engine.errors import WorldError
from sonorama.engine.model.config import FRAME_SOUND, FRAME_STARTS, FRAME_STEP, FramesConfig, SoundConfig, check_frames
from sonorama.engine.model.frame_encoder import FrameEncoder
from sonorama.engine.model.joint_embedding import SoundEncoder
from sonorama.engine.model.mel import BANDS, ENCODER_COLUMNS, SOUND_COLUMNS

SMALL = FramesConfig((4, 6, 8, 12), 20)


@pytest.fixture
def encoder() -> FrameEncoder:
    torch.manual_seed(0)
    return FrameEncoder(SMALL).eval().requires_grad_(False)


def window() -> torch.Tensor:
    return 0.3 + 0.4 * torch.rand(2, 1, BANDS, SOUND_COLUMNS, generator=torch.Generator().manual_seed(1))


def test_frames_cover_the_window() -> None:
    ends = [start + ENCODER_COLUMNS for start in FRAME_STARTS]
    assert 0 <= FRAME_STARTS[0] < FRAME_STEP
    assert ends[-1] == SOUND_COLUMNS
    assert {(end - SOUND_COLUMNS) % (4 * FRAME_STEP) for end in ends} == {0}, "frames are those of four steps ago"
    assert all(begin <= end for begin, end in zip(FRAME_STARTS[1:], ends, strict=False))


def test_loudness_does_not_change_the_code(encoder: FrameEncoder) -> None:
    one, louder = encoder.window(window()), encoder.window(window() + 0.15)
    assert one.std() > 0
    assert torch.allclose(one, louder, atol=1e-4)


def test_frames_without_sound_do_not_count(encoder: FrameEncoder) -> None:
    """A short sound is heard as itself, not as a sound that is mostly silence."""
    short, begin = window(), FRAME_STARTS[2] + ENCODER_COLUMNS  # only the last frame reaches beyond this column
    short[..., :begin] = 0
    assert torch.allclose(encoder.window(short), encoder(short[:, 0, :, FRAME_STARTS[-1] :]), atol=1e-5)
    assert torch.equal(encoder.window(torch.zeros_like(short)), torch.zeros(2, SMALL.code))


def test_f_a_with_a_frame_encoder_returns_from_its_tensors() -> None:
    torch.manual_seed(2)
    made = SoundEncoder(SMALL.code, 16, 8, 2, frames=SMALL).eval()
    again = SoundEncoder.from_tensors({k: v.clone() for k, v in made.state_dict().items()})
    code = again(window())
    assert torch.equal(made(window()), code)
    assert code.norm(dim=1).tolist() == pytest.approx([1.0, 1.0], abs=1e-5)
    assert torch.equal(again(torch.zeros(1, 1, BANDS, SOUND_COLUMNS)), torch.zeros(1, 16))
    with pytest.raises(WorldError):
        SoundEncoder.from_tensors({k: v for k, v in made.state_dict().items() if k != "frames.reduce.3.bias"})


@pytest.mark.parametrize(
    ("frames", "reason"), [(FramesConfig((4, 8, 8), 20), "3 widths"), (FramesConfig((4, 8, 8, 8), 21), "21 numbers")]
)
def test_sizes_that_do_not_fit_are_refused(frames: FramesConfig, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_frames(frames, SoundConfig(20))


@pytest.mark.parametrize("level", [0.05, 0.5])
def test_what_is_in_no_frame_is_silence(level: float) -> None:
    """Too quiet for a frame, or only in the columns before the first: no code is made up."""
    torch.manual_seed(2)
    heard = SoundEncoder(SMALL.code, 16, 8, 2, frames=SMALL).eval()
    sound = torch.zeros(1, 1, BANDS, SOUND_COLUMNS)
    sound[..., : FRAME_STARTS[0] if level > FRAME_SOUND else SOUND_COLUMNS] = level
    assert not heard(sound).any()
    sound[..., -1] = 0.5
    assert heard(sound).any()
