"""The CUDA backend on a stand-in for torch.cuda: what is painted and when; on a device: test_backend.py, tests/gpu."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from sonorama.engine.inference import cuda_backend, cuda_graphs
from sonorama.engine.inference.cuda_backend import CudaBackend
from sonorama.engine.inference.cuda_graphs import AT_ONCE, GraphPainter
from sonorama.engine.inference.torch_backend import TorchBackend
from sonorama.engine.model.config import GeneratorConfig
from sonorama.engine.model.generator import Synthesis
from sonorama.engine.model.generator_fused import Form, FusedSynthesis
from sonorama.engine.model.stylegan3_config import StyleGAN3Config
from sonorama.engine.model.world_file import World, load_world
from sonorama.engine.picture.to_rgba8 import rgba8
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.plugins.interfaces import EarlyExitBackend, FastBackend, PixelPainter
from sonorama.engine.units import Array

from ...gpu.gpu_checks import fake_cuda
from ...worlds import write_world

ORDERS: dict[str, Callable[[int], bool]] = {
    "late": lambda _: False,
    "early": lambda _: True,
    "painted early, copied late": lambda number: number % 2 == 1,
    "painted late, copied early": lambda number: number % 2 == 0,
}
CONFIG = GeneratorConfig(16, 16, 32, 1, 256, 16, 4, 6)


@pytest.fixture(params=ORDERS)
def fake(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> fake_cuda.FakeCuda:
    return fake_cuda.install(monkeypatch, ORDERS[request.param])


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONORAMA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "graphs"


@pytest.fixture
def one_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_graphs, "RUNS", 1)
    monkeypatch.setattr(cuda_backend, "ALL_FORMS", (Form("hybrid", "dense"),))


@pytest.fixture(scope="module")
def world(tiny_world: str) -> World:
    return load_world(tiny_world)


@pytest.fixture(scope="module")
def play() -> FusedSynthesis:
    torch.manual_seed(0)
    return FusedSynthesis(Synthesis(CONFIG).requires_grad_(False))


def painter(play: FusedSynthesis) -> GraphPainter:
    return GraphPainter(play, (1, CONFIG.num_ws, CONFIG.w_dim), torch.device("cpu"))


def codes(count: int, rows: int = CONFIG.num_ws, width: int = CONFIG.w_dim) -> list[Array]:
    return list(np.random.default_rng(3).standard_normal((count, rows, width)).astype(np.float32))


def expected(play: FusedSynthesis, ws: Array) -> Array:
    with torch.inference_mode():
        return play(torch.from_numpy(ws)[None])[0].permute(1, 2, 0).numpy()


def test_each_picture_is_that_of_its_codes_and_stays(fake: fake_cuda.FakeCuda, play: FusedSynthesis) -> None:
    paint = painter(play)
    (graph,) = fake.graphs
    pictures = [(paint(ws), expected(play, ws)) for ws in codes(4)]
    for made, right in pictures:
        np.testing.assert_array_equal(made, right)
    assert graph.replays == 4


def test_one_picture_is_painted_while_the_one_before_is_copied(fake: fake_cuda.FakeCuda, play: FusedSynthesis) -> None:
    del fake
    paint, all_codes = painter(play), codes(7)
    pictures = list[np.ndarray]()
    under_way = paint.begin_pixels(all_codes[0])
    for ws in all_codes[1:]:
        following = paint.begin_pixels(ws)
        pictures.append(under_way())
        under_way = following
    pictures.append(under_way())
    for made, ws in zip(pictures, all_codes, strict=True):
        np.testing.assert_array_equal(made, rgba8(expected(play, ws)))


def test_the_stand_in_notices_a_copy_that_does_not_wait_for_its_picture(
    monkeypatch: pytest.MonkeyPatch, play: FusedSynthesis
) -> None:
    fake_cuda.install(monkeypatch, ORDERS["painted late, copied early"])
    monkeypatch.setattr(fake_cuda.Stream, "wait_event", lambda self, event: None)
    (ws,) = codes(1)
    assert not np.array_equal(painter(play)(ws), expected(play, ws))


def test_the_stand_in_notices_pictures_that_share_a_buffer(
    monkeypatch: pytest.MonkeyPatch, play: FusedSynthesis
) -> None:
    fake_cuda.install(monkeypatch, ORDERS["painted early, copied late"])
    paint = painter(play)
    first, second = paint._free.get(), paint._free.get()
    second.pixels = first.pixels[0], second.pixels[1]
    paint._free.put(first)
    paint._free.put(second)
    one, other = codes(2)
    takes = paint.begin_pixels(one), paint.begin_pixels(other)
    assert not np.array_equal(takes[0](), rgba8(expected(play, one)))
    takes[1]()


def test_a_third_picture_waits_until_the_first_is_taken(monkeypatch: pytest.MonkeyPatch, play: FusedSynthesis) -> None:
    fake_cuda.install(monkeypatch)
    paint, all_codes = painter(play), codes(AT_ONCE + 1)
    takes = [paint.begin_pixels(ws) for ws in all_codes[:AT_ONCE]]
    made = list[np.ndarray]()
    thread = threading.Thread(target=lambda: made.append(paint(all_codes[-1])), daemon=True)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    takes[0]()
    thread.join(30)
    np.testing.assert_array_equal(made[0], expected(play, all_codes[-1]))
    np.testing.assert_array_equal(takes[1](), rgba8(expected(play, all_codes[1])))


def test_a_picture_that_fails_leaves_room_for_the_next(monkeypatch: pytest.MonkeyPatch, play: FusedSynthesis) -> None:
    fake = fake_cuda.install(monkeypatch, ORDERS["early"])
    paint, (ws,) = painter(play), codes(1)
    replay = fake.graphs[0].replay
    for _ in range(AT_ONCE + 1):
        monkeypatch.setattr(fake.graphs[0], "replay", broken)
        with pytest.raises(RuntimeError, match="of the driver"):
            paint(ws)
    monkeypatch.setattr(fake.graphs[0], "replay", replay)
    np.testing.assert_array_equal(paint(ws), expected(play, ws))


def broken() -> None:
    raise RuntimeError("of the driver")


def test_a_network_that_asks_the_device_for_a_number_cannot_be_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_cuda.install(monkeypatch)
    with pytest.raises(RuntimeError, match="capturing"):
        cuda_graphs.captured(lambda: [torch.ones(2) * torch.ones(1).item()])


@pytest.mark.usefixtures("fake", "cache", "one_form")
def test_the_backend_plays_as_the_reference(world: World) -> None:
    reference, cuda = TorchBackend(world), CudaBackend(world, device="cpu")
    assert (cuda.name, cuda.painters) == ("torch-cuda", AT_ONCE)
    assert CudaBackend(world, 1, "cpu").painters == 1
    assert isinstance(cuda, FastBackend)
    assert isinstance(cuda, EarlyExitBackend)
    assert isinstance(cuda, PixelPainter)
    card, rng = world.card, np.random.default_rng(4)
    for ws in codes(2, card.num_ws, card.w_dim):
        np.testing.assert_allclose(cuda.synthesize(ws), reference.synthesize(ws), atol=2e-5)
        np.testing.assert_array_equal(cuda.begin_pixels(ws)(), rgba8(cuda.synthesize(ws)))
    h = np.zeros((3, card.motion.hidden), np.float32)
    for _ in range(3):
        u = rng.standard_normal((card.num_ws, card.w_dim)).astype(np.float32)
        delta, h_next = cuda.step_rnn(u, h)
        right_delta, right_h = reference.step_rnn(u, h)
        np.testing.assert_allclose(delta, right_delta, atol=1e-6)
        np.testing.assert_allclose(h_next, right_h, atol=1e-6)
        h = h_next


@pytest.mark.usefixtures("cache", "one_form")
def test_half_precision_passes_the_gate_and_leaves_exact_pictures_as_they_were(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_cuda.install(monkeypatch)
    loaded = LoadedWorld(world, CudaBackend(world, 1, "cpu"))
    (ws,) = codes(1, world.card.num_ws, world.card.w_dim)
    before = loaded.backend.synthesize(ws)
    fast = loaded.quality_gate.open_fast(loaded.backend)
    assert fast.precision == "f16"
    assert isinstance(fast, PixelPainter)
    np.testing.assert_array_equal(fast.begin_pixels(ws)(), rgba8(fast.synthesize(ws)))
    assert 0 < np.abs(fast.synthesize(ws) - before).max() < 0.05
    np.testing.assert_array_equal(loaded.backend.synthesize(ws), before)


def test_the_form_is_measured_once_and_exact_pictures_do_not_depend_on_it(
    world: World, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = fake_cuda.install(monkeypatch)
    forms = Form(), Form("hybrid", "polyphase")
    monkeypatch.setattr(cuda_graphs, "RUNS", 1)
    monkeypatch.setattr(cuda_backend, "ALL_FORMS", forms)
    CudaBackend(world, 1, "cpu")
    made, (file,) = len(fake.graphs), list(cache.iterdir())
    again = CudaBackend(world, 1, "cpu")
    assert len(fake.graphs) - made == 2  # of E_RNN and of the exact picture: nothing was measured
    (ws,) = codes(1, world.card.num_ws, world.card.w_dim)
    pictures = list[Array]()
    for form in forms:
        file.write_text(file.read_text().replace("transposed", form.up).replace("polyphase", form.up))
        pictures.append(CudaBackend(world, 1, "cpu").synthesize(ws))
    np.testing.assert_array_equal(pictures[0], pictures[1])
    np.testing.assert_array_equal(again.synthesize(ws), pictures[0])


@pytest.mark.usefixtures("cache", "one_form")
def test_the_whole_process_computes_repeatably_and_with_cudnn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags that one thread sets and resets for itself would be those of all others."""
    fake_cuda.install(monkeypatch)
    for name, value in {"allow_tf32": True, "deterministic": False, "benchmark": True}.items():
        monkeypatch.setattr(torch.backends.cudnn, name, value)
    CudaBackend(world, 1, "cpu")
    cudnn = torch.backends.cudnn
    assert (cudnn.enabled, cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark) == (True, False, True, False)
    assert not torch.backends.cuda.matmul.allow_tf32


@pytest.mark.usefixtures("cache")
def test_stylegan3_is_captured_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_cuda.install(monkeypatch)
    write_world(tmp_path / "three.safetensors", generator=StyleGAN3Config(32, 16, 24, 2, 128, 4))
    three = load_world(str(tmp_path / "three.safetensors"))
    cuda, reference = CudaBackend(three, 1, "cpu"), TorchBackend(three)
    assert not cuda.can_leave_early()
    (ws,) = codes(1, three.card.num_ws, three.card.w_dim)
    right = reference.synthesize(ws)
    np.testing.assert_allclose(cuda.synthesize(ws), right, atol=2e-5)
    assert 0 < np.abs(cuda.open_fast("bf16")(ws) - right).max() < 0.2
