"""The back ends of the CPU paint the same pictures; what is missing is said."""

import importlib.util
import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.inference import backend as backends
from sonorama.engine.inference import runtimes
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import World, load_world
from sonorama.engine.pipeline.loaded_world import LoadedWorld


@pytest.fixture(scope="module")
def world(tiny_world: str) -> World:
    return load_world(tiny_world)


def places(world: World, count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    w_dim = world.card.w_dim
    return [rng.standard_normal((world.card.num_ws, w_dim)).astype(np.float32) for _ in range(count)]


def test_openvino_is_what_plays_on_the_cpu(world: World) -> None:
    assert open_backend(world, "cpu").name == "openvino-cpu"


@pytest.mark.parametrize("device", ["cpu", "ort"])
def test_pictures_are_the_reference_s(world: World, device: str) -> None:
    exact, fast = open_backend(world, "reference"), open_backend(world, device)
    for ws in places(world, 3):
        np.testing.assert_allclose(fast.synthesize(ws), exact.synthesize(ws), atol=1e-4)


def test_threads_and_painters_do_not_change_a_bit(world: World) -> None:
    """A take played with two threads a picture replays with two pictures at once."""
    codes = places(world, 8)
    alone = open_backend(world, "cpu", threads=2, painters=1)
    expected = [alone.synthesize(ws) for ws in codes]
    together = open_backend(world, "cpu", threads=1, painters=2)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            for made, picture in zip(pool.map(together.synthesize, codes), expected, strict=True):
                np.testing.assert_array_equal(made, picture)


def test_the_first_picture_is_painted_before_threads_may_paint(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two first calls of OpenVINO at once may wait for each other for ever."""
    openvino = runtimes.openvino()
    first: list[int] = []
    infer = openvino.InferRequest.infer

    def noted(self: Any, *arguments: Any) -> object:
        first.append(threading.get_ident())
        return infer(self, *arguments)

    monkeypatch.setattr(openvino.InferRequest, "infer", noted)
    open_backend(world, "cpu", threads=1, painters=2)
    assert first == [threading.get_ident()]


def test_without_openvino_onnx_runtime_plays_and_it_is_said(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with caplog.at_level(logging.WARNING):
        assert open_backend(world, "cpu").name == "onnxruntime-cpu"
    assert "OpenVINO is not installed" in caplog.text


def test_an_unknown_device_is_refused(world: World) -> None:
    with pytest.raises(SonoramaError, match="abacus"):
        open_backend(world, "abacus")


@pytest.mark.skipif(backends.cuda_available(), reason="there is a CUDA device")
def test_cuda_without_a_device_is_refused(world: World) -> None:
    with pytest.raises(SonoramaError, match="no CUDA device"):
        open_backend(world, "cuda")


@pytest.mark.skipif(backends.cuda_available(), reason="there is a CUDA device")
def test_looking_for_a_device_does_not_load_torch_where_there_is_no_driver() -> None:
    code = (
        "import sys; from sonorama.engine.inference import backend; "
        "print(backend.cuda_available(), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.gpu
def test_a_cuda_picture_is_not_overwritten_by_the_next(world: World) -> None:
    one, two = places(world, 2)
    cuda = open_backend(world, "cuda")
    picture = cuda.synthesize(one)
    kept = picture.copy()
    assert not np.array_equal(cuda.synthesize(two), kept)
    np.testing.assert_array_equal(picture, kept)


@pytest.mark.gpu
def test_cuda_is_exact(world: World) -> None:
    """The graph is float32, without TF32; replaying it gives the same picture each time."""
    exact, cuda = open_backend(world, "reference"), open_backend(world, "cuda")
    for ws in places(world, 3):
        np.testing.assert_allclose(cuda.synthesize(ws), exact.synthesize(ws), atol=1e-4)
        np.testing.assert_array_equal(cuda.synthesize(ws), cuda.synthesize(ws))


@pytest.mark.gpu
def test_cuda_paints_fast_beside_exact(world: World) -> None:
    """Half precision keeps 40 dB, repeats, and leaves the exact pictures as they were, also while both paint."""
    loaded = LoadedWorld(world, open_backend(world, "cuda"))
    exact, fast = loaded.backend, loaded.quality_gate.open_fast(loaded.backend)
    codes = places(world, 3)
    expected = [(exact.synthesize(ws), fast.synthesize(ws)) for ws in codes]
    assert not any(np.array_equal(one, other) for one, other in expected)
    with ThreadPoolExecutor(2) as pool:
        for ws, (one, other) in zip(codes * 20, expected * 20, strict=True):
            both = pool.submit(exact.synthesize, ws), pool.submit(fast.synthesize, ws)
            np.testing.assert_array_equal(both[0].result(), one)
            np.testing.assert_array_equal(both[1].result(), other)


@pytest.mark.gpu
def test_cuda_moves_as_the_reference_does(world: World) -> None:
    exact, cuda = open_backend(world, "reference"), open_backend(world, "cuda")
    window = np.random.default_rng(4).random((128, 344)).astype(np.float32)
    np.testing.assert_allclose(cuda.embed_sound(window), exact.embed_sound(window), atol=1e-3)
    heard, there = cuda.invert_sound(window[:, -88:], cuda.embed_sound(window))
    expected, there_expected = exact.invert_sound(window[:, -88:], exact.embed_sound(window))
    np.testing.assert_allclose(heard, expected, atol=1e-2)
    assert there == pytest.approx(there_expected, abs=1e-3)
