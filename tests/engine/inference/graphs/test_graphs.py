"""Every graph gives the numbers of the torch network it was written for, at any size, and refuses what does not fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sonorama.engine.errors import WorldError
from sonorama.engine.inference.graphs.build import write_graphs
from sonorama.engine.inference.onnx_backend import open_session
from sonorama.engine.model.build import as_torch
from sonorama.engine.model.card import Card
from sonorama.engine.model.config import EncoderConfig, FramesConfig, GeneratorConfig, MotionConfig, SoundConfig
from sonorama.engine.model.generator import Generator
from sonorama.engine.model.joint_embedding import SoundEncoder, TextTower
from sonorama.engine.model.joint_space import token_rows
from sonorama.engine.model.mel import BANDS, ENCODER_COLUMNS, SOUND_COLUMNS
from sonorama.engine.model.motion_rnn import MotionNetwork
from sonorama.engine.model.sound_inversion import SoundInversionEncoder
from sonorama.engine.model.world_file import World, load_world

from ....worlds import write_world

VOCABULARY = torch.tensor([320, 321, 1237, 2582, 49406, 49407], dtype=torch.int32)
TEXTS = ("a canyon", "", "!", "zebra a a canyon", "a " * 40)


@pytest.fixture(
    scope="module",
    params=[
        (GeneratorConfig(64, 16, 32, 1, 512, 16), 10, (3, 7), (8, 16), 24),
        (GeneratorConfig(128, 24, 40, 3, 1024, 24, const_width=7), 16, (4, 8), (8, 16, 24), 48),
        (GeneratorConfig(32, 8, 16, 2, 256, 16, const_height=5, const_width=3), 8, (2, 4), (16,), 16),
    ],
    ids=["square", "wide", "tall"],
)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[World, dict, Path]:
    """A world of that shape, its networks in torch, and the folder of its graphs."""
    shape, num_ws, cuts, widths, hidden = request.param
    torch.manual_seed(1)
    code_dim = hidden + 8
    frames = FramesConfig((4, 6, 8, 12), 20) if shape.const_width == 7 else None
    heard = 365 if frames is None else frames.code
    networks = {
        "generator": Generator(shape, num_ws),
        "encoder": SoundInversionEncoder(EncoderConfig(num_ws, shape.w_dim, code_dim, widths, hidden, cuts)),
        "motion": MotionNetwork(MotionConfig(num_ws, shape.w_dim, hidden, cuts)),
        "sound": SoundEncoder(heard, code_dim, hidden, members=2, frames=frames),
        "text": TextTower(VOCABULARY, width=32, layers=2, context=8, out=code_dim),
    }
    for network in networks.values():
        for name, value in network.state_dict().items():
            if value.is_floating_point() and not name.endswith(("std", "sigma_w")):
                value += 0.1 * torch.randn_like(value)
        network.eval().requires_grad_(False)
    tensors = {f"{k}.{name}": x.numpy() for k, network in networks.items() for name, x in network.state_dict().items()}
    card = Card(
        "odd", "1", "", "", shape, networks["encoder"].config, networks["motion"].config,
        SoundConfig(heard, code_dim, hidden, 2), frames, text=networks["text"].config, path="odd.safetensors",
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("graphs")
    write_graphs(World(card, tensors), folder)
    return World(card, tensors), networks, folder


def run(folder: Path, name: str, *inputs: torch.Tensor) -> list[np.ndarray]:
    session = open_session(folder / f"{name}.onnx")
    named = dict(zip((i.name for i in session.get_inputs()), (x.numpy() for x in inputs), strict=True))
    return session.run(None, named)


def test_synthesis_and_mapping(made: tuple[World, dict, Path]) -> None:
    world, networks, folder = made
    generator = networks["generator"]
    for _ in range(3):
        z = torch.randn(1, world.card.generator.z_dim)
        (ws,) = run(folder, "mapping", z)
        np.testing.assert_allclose(ws, generator.mapping(z).numpy(), atol=1e-4)
        codes = torch.from_numpy(ws) + 0.5 * torch.randn(ws.shape)
        (picture,) = run(folder, "synthesis", codes)
        expected = (generator.synthesis(codes) * 0.5 + 0.5).clamp(0, 1).numpy()
        assert picture.shape == (1, 3, *generator.config.shape())
        assert expected.std() > 0.05
        np.testing.assert_allclose(picture, expected, atol=1e-4)


def test_motion(made: tuple[World, dict, Path]) -> None:
    world, networks, folder = made
    u = torch.randn(1, world.card.num_ws, world.card.w_dim)
    h = networks["motion"].start() + 0.3
    for answer, expected in zip(run(folder, "motion", u, h), networks["motion"](u, h), strict=True):
        assert expected.std() > 0.01
        np.testing.assert_allclose(answer, expected.numpy(), atol=1e-5)


def windows(columns: int) -> list[torch.Tensor]:
    """Noise, noise that begins late, and silence."""
    full = torch.rand(1, 1, BANDS, columns)
    late = full.clone()
    late[..., : columns // 2] = 0
    return [full, late, torch.zeros_like(full)]


def test_sound_encoder(made: tuple[World, dict, Path]) -> None:
    _, networks, folder = made
    for window in windows(SOUND_COLUMNS):
        np.testing.assert_allclose(run(folder, "sound", window)[0], networks["sound"](window).numpy(), atol=1e-4)


def test_sound_inversion(made: tuple[World, dict, Path]) -> None:
    _, networks, folder = made
    code = torch.nn.functional.normalize(torch.randn(1, networks["encoder"].config.code_dim))
    for window in windows(ENCODER_COLUMNS):
        for answer, expected in zip(
            run(folder, "encoder", window, code), networks["encoder"](window, code), strict=True
        ):
            np.testing.assert_allclose(answer, expected.numpy(), atol=5e-4)


def test_text_tower(made: tuple[World, dict, Path]) -> None:
    _, networks, folder = made
    tower = networks["text"]
    for text in TEXTS:
        rows = torch.tensor([token_rows(text, VOCABULARY.tolist(), tower.context)])
        np.testing.assert_allclose(run(folder, "text", rows)[0], tower([text]).numpy(), atol=1e-5)


def test_tensors_and_card_must_go_together(made: tuple[World, dict, Path], tmp_path: Path) -> None:
    world, _, _ = made
    missing = {k: v for k, v in world.tensors.items() if k != "motion.levels.1.inward.bias"}
    with pytest.raises(
        WorldError, match=r"odd\.safetensors: its motion does not fit its card: levels\.1\.inward\.bias is missing"
    ):
        write_graphs(World(world.card, missing), tmp_path)
    wider = replace(world.card, generator=replace(world.card.generator, w_dim=48))
    with pytest.raises(WorldError, match="does not fit"):
        write_graphs(World(wider, world.tensors), tmp_path)
    other = world.tensors | {"encoder.join.weight": np.zeros((3, 3), np.float32)}
    with pytest.raises(WorldError, match=r"its encoder does not fit its card: join\.weight has the shape \(3, 3\)"):
        write_graphs(World(world.card, other), tmp_path)


def test_the_words_of_shore(tmp_path: Path) -> None:
    shore = load_world("shore")
    write_graphs(shore, tmp_path)
    tower = TextTower.from_tensors(as_torch(shore.part("text")))
    for text in ("a storm over black rocks", "a red desert", "Wüste", "snow"):
        rows = torch.tensor([token_rows(text, tower.vocabulary.tolist(), tower.context)])
        with torch.inference_mode():
            np.testing.assert_allclose(run(tmp_path, "text", rows)[0], tower([text]).numpy(), atol=1e-5)


def test_statistics_of_another_number_are_refused(tmp_path: Path) -> None:
    write_world(tmp_path / "w.safetensors")
    world = load_world(tmp_path / "w.safetensors")
    sound = {k: v[..., :100] if k in ("sound.mean", "sound.std") else v for k, v in world.tensors.items()}
    sound["sound.committee.weight0"] = sound["sound.committee.weight0"][:, :100]
    card = replace(world.card, sound=replace(world.card.sound, features=100))
    with pytest.raises(WorldError, match="mean has the shape"):
        write_graphs(World(card, sound), tmp_path)
