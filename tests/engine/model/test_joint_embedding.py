"""The joint space: what a code is, what it does not depend on, and that it can be stored and read back."""

import json
import socket
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import save_file

from sonorama.engine.errors import WorldError
from sonorama.engine.model.joint_embedding import ImageHead, SoundEncoder, TextTower, unit, window_ends
from sonorama.engine.model.joint_space import class_scores
from sonorama.engine.model.mel import HOP, SOUND_COLUMNS, last_columns, log_mel
from sonorama.engine.model.open_clip_towers import load_joint
from sonorama.engine.model.texture_statistics import statistics
from sonorama.engine.units import SAMPLE_RATE

FEATURES = 365
WORDS = torch.tensor([320, 321, 1237, 2582, 49406, 49407], dtype=torch.int32)


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (0.05 * rng.standard_normal(int(seconds * SAMPLE_RATE))).astype(np.float32)


def window(samples: np.ndarray) -> torch.Tensor:
    columns = log_mel(samples)
    return torch.from_numpy(last_columns(columns, columns.shape[1], SOUND_COLUMNS))[None, None]


@pytest.fixture(scope="module")
def encoder() -> SoundEncoder:
    torch.manual_seed(0)
    made = SoundEncoder(FEATURES)
    heard = statistics(torch.cat([window(noise(4, s)) for s in range(3)]))
    made.mean.copy_(heard.mean(0))
    made.std.fill_(3.0)
    return made.eval()


def test_sound_code_has_length_one_whatever_the_sound(encoder: SoundEncoder) -> None:
    heard = torch.cat([window(noise(seconds)) for seconds in (0.2, 1.0, 4.0, 9.0)])
    assert encoder(heard).norm(dim=1).tolist() == pytest.approx([1.0] * 4, abs=1e-5)


def test_silence_is_heard_as_nothing(encoder: SoundEncoder) -> None:
    code = encoder(torch.zeros(1, 1, 128, SOUND_COLUMNS))
    assert torch.equal(code, torch.zeros_like(code))
    labels = unit(torch.randn(9, 128))
    assert class_scores(code[0].detach().numpy(), labels.numpy(), 12.0).tolist() == pytest.approx([1 / 9] * 9)


def test_a_window_stands_alone_in_its_batch(encoder: SoundEncoder) -> None:
    heard = torch.cat([window(noise(4)), torch.zeros(1, 1, 128, SOUND_COLUMNS), window(noise(1))])
    alone = torch.cat([encoder(row[None]) for row in heard])
    assert torch.allclose(encoder(heard), alone, atol=1e-5)


@pytest.mark.parametrize("gain_db", [-12, 12])
def test_loudness_hardly_moves_the_statistics(gain_db: int) -> None:
    x = noise(4)
    x = 4 * noise(4)
    plain, other = (statistics(window(x * g))[0] for g in (1.0, np.float32(10 ** (gain_db / 20))))
    assert (plain - other).abs().mean() < 0.05 * plain.abs().mean()


def test_columns_before_the_start_do_not_count() -> None:
    x = noise(4)
    whole, half = statistics(window(x))[0], statistics(window(x[-2 * SAMPLE_RATE :]))[0]
    bands = slice(0, 32)
    assert (whole[bands] - half[bands]).abs().mean() < 1.0, "mean band levels in dB"


def test_statistics_of_extremes_are_finite() -> None:
    clipped = np.sign(noise(4)) * np.float32(1.0)
    click = np.zeros(4 * SAMPLE_RATE, np.float32)
    click[SAMPLE_RATE] = 1
    for samples in (clipped, click, np.zeros(SAMPLE_RATE, np.float32), noise(0.02)):
        assert torch.isfinite(statistics(window(samples))).all()


def test_sound_tower_is_small_and_returns_from_its_tensors(encoder: SoundEncoder) -> None:
    assert sum(p.numel() for p in encoder.parameters()) < 1_000_000
    again = SoundEncoder.from_tensors({k: v.clone() for k, v in encoder.state_dict().items()})
    heard = window(noise(3))
    assert torch.equal(encoder(heard), again(heard))


def test_towers_that_do_not_fit_are_refused(encoder: SoundEncoder) -> None:
    tensors = dict(encoder.state_dict())
    tensors["members.1.second.weight"] = torch.zeros(3, 3)
    with pytest.raises(WorldError, match="sound tower"):
        SoundEncoder.from_tensors(tensors)
    with pytest.raises(WorldError, match="text tower"):
        TextTower.from_tensors({"vocabulary": WORDS})


def test_scores_sum_to_one_and_follow_the_cosine() -> None:
    labels = unit(torch.randn(9, 128)).numpy()
    scores = class_scores(labels[4], labels, 12.0)
    assert scores.sum() == pytest.approx(1.0)
    assert scores.argmax() == 4


def test_windows_are_heard_every_quarter_second_and_at_the_end() -> None:
    ends = window_ends(10 * SAMPLE_RATE // HOP)
    assert ends[0] == round(SAMPLE_RATE / HOP)
    assert max(np.diff(ends)) * HOP / SAMPLE_RATE < 0.27
    assert 10 - ends[-1] * HOP / SAMPLE_RATE < 0.13
    assert window_ends(20) == [20]


def test_text_tower_returns_from_its_tensors() -> None:
    torch.manual_seed(0)
    tower = TextTower(WORDS, width=32, layers=2, context=8, out=128).eval()
    again = TextTower.from_tensors({k: v.clone() for k, v in tower.state_dict().items()})
    codes = tower(["a canyon", "a"])
    assert torch.equal(codes, again(["a canyon", "a"]))
    assert codes.norm(dim=1).tolist() == pytest.approx([1.0, 1.0], abs=1e-5)


def test_words_it_never_met_share_one_row() -> None:
    tower = TextTower(WORDS, width=32, layers=2, context=8)
    rows = tower.rows(["zebra", "giraffe"])
    assert torch.equal(rows[0], rows[1])


def test_gradient_reaches_a_picture_through_the_head() -> None:
    head = ImageHead(12)
    picture = torch.rand(2, 3, 16, 16, requires_grad=True)
    described = torch.nn.functional.adaptive_avg_pool2d(picture, 2).flatten(1)
    code = head(described)
    assert code.norm(dim=1).tolist() == pytest.approx([1.0, 1.0], abs=1e-5)
    (code @ unit(torch.randn(128))).sum().backward()
    assert picture.grad is not None
    assert picture.grad.abs().amax((1, 2, 3)).min() > 0


def tiny_clip(folder: Path) -> tuple[str, torch.nn.Module]:
    """A small open_clip model saved to a folder, as `local-dir:` reads it."""
    import open_clip

    config = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    }
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
    torch.manual_seed(3)
    vision, text = open_clip.CLIPVisionCfg(**config["vision_cfg"]), open_clip.CLIPTextCfg(**config["text_cfg"])
    model = open_clip.CLIP(config["embed_dim"], vision, text).eval()
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    return f"local-dir:{folder}", model


def test_a_clip_model_from_a_folder(tmp_path: Path) -> None:
    name, saved = tiny_clip(tmp_path)
    clip = load_joint(name)
    assert torch.equal(clip.model.state_dict()["text_projection"], saved.state_dict()["text_projection"])
    picture = (torch.rand(2, 3, 64, 48) * 2 - 1).requires_grad_()
    seen, said = clip.image(picture), clip.text(["a red canyon", "rain"])
    assert seen.shape == said.shape == (2, 16)
    (seen * said).sum().backward()
    assert picture.grad is not None
    assert picture.grad.abs().sum() > 0


@pytest.mark.parametrize(
    "name", ["NoSuchModel:openai", "ViT-B-32:no-such-tag", "ViT-B-32:/no/such/file.safetensors", "local-dir:/no/such"]
)
def test_a_clip_model_that_cannot_be_had_is_refused_in_two_lines(name: str) -> None:
    with pytest.raises(WorldError) as caught:
        load_joint(name)
    assert len(str(caught.value).splitlines()) == 2


def test_weights_that_are_another_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_: str, weights: str, **__: object) -> None:
        """What open_clip does with the file, without the model, which takes seconds to make."""
        open_clip.factory.load_state_dict(weights, weights_only=True)

    monkeypatch.setattr(open_clip, "create_model", read)
    (tmp_path / "notes.pt").write_text("text")
    with pytest.raises(WorldError, match="cannot be loaded"):
        load_joint(f"ViT-B-32:{tmp_path / 'notes.pt'}")


def test_a_clip_model_that_is_not_here_and_cannot_be_fetched_is_refused_without_retries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    with socket.socket() as unheard:  # bound and not listening: connections are refused
        unheard.bind(("127.0.0.1", 0))
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{unheard.getsockname()[1]}")
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
        with pytest.raises(WorldError, match="does not answer"):
            load_joint("ViT-B-32:openai")
