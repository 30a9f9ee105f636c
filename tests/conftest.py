"""A small untrained world of the real format for all tests; tests that need a device are skipped without one."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

CLASSES = ("rain", "wind", "fire")


def random_world(path: Path) -> None:
    """64 px, narrow, untrained but alive: its motion and its encoder answer to sound."""
    import torch

    from sonorama.engine.model.generator import Generator, GeneratorConfig
    from sonorama.engine.model.joint_embedding import SoundEncoder
    from sonorama.engine.model.mel import BANDS, SOUND_COLUMNS
    from sonorama.engine.model.motion_rnn import MotionConfig, MotionNetwork
    from sonorama.engine.model.sound_inversion import EncoderConfig, SoundInversionEncoder
    from sonorama.engine.model.texture_statistics import statistics
    from sonorama.engine.model.world_file import Card, save_world

    torch.manual_seed(5)
    shape = GeneratorConfig(size=64, z_dim=16, w_dim=32, mapping_layers=1, channel_base=512, channel_max=16)
    features = statistics(torch.rand(1, 1, BANDS, SOUND_COLUMNS)).shape[1]
    networks = {
        "generator": Generator(shape),
        "encoder": SoundInversionEncoder(EncoderConfig(shape.num_ws, shape.w_dim)),
        "motion": MotionNetwork(MotionConfig(shape.num_ws, shape.w_dim)),
        "sound": SoundEncoder(features, hidden=16, members=1),
    }
    tensors = {
        f"{part}.{name}": (value if value.any() else torch.randn_like(value.float()) * 0.1).numpy()
        for part, network in networks.items()
        for name, value in network.state_dict().items()
    }
    tensors["generator.mapping.w_std"] = np.ones(shape.w_dim, np.float32)
    tensors["labels.codes"] = np.eye(len(CLASSES), 128, dtype=np.float32)
    tensors["labels.scale"] = np.array([10.0], np.float32)
    card = Card("tiny", "0", "CC0-1.0", "Untrained.", shape.size, shape.num_ws, vars(shape).copy(), classes=CLASSES)
    save_world(path, card, tensors)


@pytest.fixture(scope="session")
def tiny_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Path of the small world; its graphs are cached beside it for this session."""
    folder = tmp_path_factory.mktemp("worlds")
    random_world(folder / "tiny.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SONORAMA_CACHE", str(folder / "cache"))
        yield str(folder / "tiny.safetensors")


@pytest.fixture(scope="session", autouse=True)
def logs_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test writes into the user's own logs."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("logs")
        patch.setenv("SONORAMA_LOGS", str(folder))
        yield folder


@pytest.hookimpl(trylast=True)  # after -m and -k have thrown tests out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what needs a CUDA device, with the reason, where there is none."""
    needy = [item for item in items if item.get_closest_marker("gpu")]
    if not needy:
        return
    import torch  # only here: it costs seconds

    if torch.cuda.is_available():
        return
    for item in needy:
        item.add_marker(pytest.mark.skip(reason="no CUDA device"))
