"""Inversion finds the codes of pictures that a world can paint, by each of the losses, and texts pull at a picture."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from torch import Tensor

from sonorama.engine.editing import encoder, photo_code
from sonorama.engine.editing.inversion import InversionPlan, Inverter
from sonorama.engine.editing.photo_code import invert_pictures, refine_text
from sonorama.engine.editing.picture_file import is_video, read_photo, read_video
from sonorama.engine.errors import InputError, WorldError
from sonorama.engine.files.atomic import write_bytes
from sonorama.engine.files.still import encode_still
from sonorama.engine.model.base_code import find_code
from sonorama.engine.model.world_file import load_world


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(encoder, "SEEDS", 24)
    monkeypatch.setenv("SONORAMA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SONORAMA_CODES", str(tmp_path / "codes"))


def write_photo(path: Path, width: int = 60, height: int = 40) -> Path:
    """Red on the left, blue on the right, white above."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0], pixels[:, width // 2 :, 2], pixels[: height // 4] = 200, 200, 255
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    write_bytes(path, encode_still(frame, "png", {}))
    return path


def write_video(path: Path, frames: int, fps: int) -> Path:
    """Grey, brighter from frame to frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(frames):
            pixels = np.full((48, 64, 3), 20 + 200 * i // frames, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


# --- files


def test_a_photo_is_cropped_in_the_middle_to_the_shape_and_scaled(tmp_path: Path) -> None:
    x = read_photo(write_photo(tmp_path / "x.png"), (32, 32))
    assert x.shape == (1, 3, 32, 32)
    assert x[0, :, 0].min() > 0.9  # the white above is whole: only the sides are cropped
    assert x[0, 0, 20, 2] > 0.4 and x[0, 2, 20, 2] < -0.9 and x[0, 2, 20, 30] > 0.4
    wide = read_photo(tmp_path / "x.png", (64, 16))
    assert wide.shape == (1, 3, 16, 64) and wide[0, 1].max() < 0.9


def test_frames_of_a_video_come_at_the_film_s_rate(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", 10, 10)
    assert is_video(video) and not is_video(write_photo(tmp_path / "x.png"))
    means = [x.mean().item() for x in read_video(video, (16, 16), Fraction(10))]
    assert len(means) == 10 and means == sorted(means)
    twice = [x.mean().item() for x in read_video(video, (16, 16), Fraction(20))]
    assert twice[0:18:2] == pytest.approx(means[:9]) and twice[1:18:2] == pytest.approx(means[:9])
    # Stamps of Matroska are rounded to milliseconds: at 15 frames a second two of three are late or early.
    rounded = [x.mean().item() for x in read_video(write_video(tmp_path / "v.mkv", 10, 15), (16, 16), Fraction(15))]
    assert rounded == pytest.approx(means, abs=0.02)
    later = [x.mean().item() for x in read_video(video, (16, 16), Fraction(10), 0.5)]
    assert later == pytest.approx(means[5:])


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"no picture")
    for name in ("x.jpg", "nothing.jpg", "."):
        with pytest.raises(InputError):
            read_photo(tmp_path / name, (16, 16))
    with pytest.raises(InputError, match="shows nothing from second 5 on"):
        list(read_video(write_video(tmp_path / "v.mp4", 4, 10), (16, 16), Fraction(10), 5.0))


# --- inversion


@pytest.mark.parametrize("loss", ["l2", "perceptual"])
def test_a_picture_of_the_world_is_found_again(tiny_world: str, loss: str) -> None:
    inverter = Inverter(load_world(tiny_world), InversionPlan(loss=loss, side=32))  # type: ignore[arg-type]
    with torch.no_grad():
        target = inverter.see(inverter.paint(inverter.seed_codes(5)).clamp(-1, 1))
    start = inverter.seed_codes(6)
    w = inverter.optimise(start, inverter.difference(target), 40)
    before, after = inverter.figures(start, target), inverter.figures(w, target)
    assert after.mse < 0.5 * before.mse
    assert (after.feature_distance < before.feature_distance) or loss == "l2"
    assert not inverter.generator.training and all(p.grad is None for p in inverter.generator.parameters())


def test_the_encoder_comes_closer_than_the_average_and_is_kept(tiny_world: str, tmp_path: Path) -> None:
    inverter = Inverter(load_world(tiny_world), InversionPlan(loss="l2", side=32))
    made = encoder.load_encoder(inverter)
    w = inverter.seeds(range(100, 108))
    with torch.no_grad():
        guess = made.codes(inverter, inverter.paint(w).clamp(-1, 1))
    assert (guess - w).square().mean() < (inverter.w_avg - w).square().mean()
    assert len(list((tmp_path / "cache" / "encoders").iterdir())) == 1
    again = encoder.load_encoder(inverter, lambda *_: pytest.fail("fitted twice"))
    assert all(torch.equal(a, b) for a, b in zip(vars(made).values(), vars(again).values(), strict=True))


def frames(inverter: Inverter) -> list[Tensor]:
    with torch.no_grad():
        ends = inverter.seeds([5, 6])
        return [inverter.paint(ends[:1] + t * (ends[1:] - ends[:1])).clamp(-1, 1) for t in (0, 0.1, 0.2, 0.3)]


def test_frames_of_a_video_follow_from_the_one_before(tiny_world: str, tmp_path: Path) -> None:
    source = tmp_path / "v.mp4"
    source.write_bytes(b"video")
    world = load_world(tiny_world)
    inverter = Inverter(world, InversionPlan(loss="l2", side=32, steps=30, following=5))
    told: list[tuple[int, int]] = []
    made = invert_pictures(inverter, frames(inverter), source, Fraction(10), 4, lambda *one: told.append(one))
    assert made.code.w.shape == (4, world.card.num_ws, world.card.w_dim)
    assert (made.code.fps, made.code.world, told[-1]) == (10, world.card.content, (45, 45))
    apart = [np.abs(a - b).mean() for a, b in zip(made.code.w, made.code.w[1:], strict=False)]
    assert max(apart) < 0.5 * np.abs(made.code.w[0] - inverter.w_avg.numpy()).mean()
    stiff = Inverter(world, InversionPlan(loss="l2", side=32, steps=30, following=5, near=100.0))
    calm = invert_pictures(stiff, frames(stiff), source, Fraction(10))
    assert np.abs(np.diff(calm.code.w, axis=0)).mean() < np.abs(np.diff(made.code.w, axis=0)).mean()


def test_a_photo_s_code_is_kept_under_its_name(tiny_world: str, tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "Red and blue.png")
    plan = InversionPlan(loss="perceptual", side=32, steps=2)
    name = photo_code.photo_code(load_world(tiny_world), photo, plan)
    assert name.startswith("red_and_blue-")
    assert (tmp_path / "codes" / f"{name}.safetensors").is_file()
    assert find_code(name).source == "Red and blue.png"


def test_a_world_that_sees_no_pictures_has_no_clip_term(tiny_world: str) -> None:
    with pytest.raises(WorldError, match="sees no pictures"):
        Inverter(load_world(tiny_world), InversionPlan(loss="clip"))


# --- with the joint space of the shipped world


def test_the_clip_term_brings_the_joint_codes_together(tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "x.png")
    inverter = Inverter(load_world("shore"), InversionPlan(side=64, steps=6))
    made = invert_pictures(inverter, [read_photo(photo, inverter.size)], photo, Fraction(1))
    assert made.optimised.cosine > made.encoder.cosine
    assert made.optimised.mse < made.encoder.mse
    assert 0 <= made.code.nearest < 2048


def test_a_text_pulls_the_picture_towards_itself() -> None:
    world = load_world("shore")
    code, before, after = refine_text(world, "a red canyon", 3, 4)
    assert after > before
    assert (code.source, code.nearest, code.w.shape[0]) == ("a red canyon", 3, 1)
