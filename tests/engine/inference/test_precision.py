"""Low precision on the CPU: only where the processor has it, and never another one under its name."""

import numpy as np
import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.inference import openvino_backend, runtimes
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.inference.precision import NoFastPrecision, fast_precisions, open_in
from sonorama.engine.model.world_file import World, load_world
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.quality_gate import ENOUGH_DB

HERE = openvino_backend.fast_formats()
MISSING = [name for name in ("bf16", "f16") if name not in HERE]
needs_fast = pytest.mark.skipif(not HERE, reason="this processor has no bf16 or f16 arithmetic")


@pytest.fixture(scope="module")
def world(tiny_world: str) -> World:
    return load_world(tiny_world)


def codes(world: World) -> np.ndarray:
    shape = (world.card.num_ws, world.card.w_dim)
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


def test_formats_are_those_that_openvino_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    openvino = runtimes.openvino()
    for listed, formats in (
        (["FP32", "INT8"], ()),
        (["BF16", "WINOGRAD", "FP32"], ("bf16",)),
        (["FP32", "FP16", "BF16"], ("bf16", "f16")),
        (["FP32", "FP16"], ("f16",)),
    ):
        monkeypatch.setattr(openvino.Core, "get_property", lambda *_, listed=listed: listed)
        assert openvino_backend.fast_formats() == formats


def test_what_the_cpu_backend_offers_is_what_the_processor_has(world: World) -> None:
    assert fast_precisions(open_backend(world, "cpu")) == HERE
    assert fast_precisions(open_backend(world, "ort")) == ()
    assert fast_precisions(open_backend(world, "reference")) == ()


@pytest.mark.parametrize("precision", MISSING)
def test_what_the_processor_has_not_is_refused(world: World, precision: str) -> None:
    with pytest.raises(NoFastPrecision, match=f"openvino-cpu cannot paint in {precision} on this machine"):
        open_in(open_backend(world, "cpu"), precision)


@pytest.mark.parametrize(
    "precision", [*MISSING[:1], *(pytest.param(name, marks=pytest.mark.soak) for name in MISSING[1:])]
)
def test_another_format_is_not_taken_for_it_if_openvino_falls_back(world: World, precision: str) -> None:
    """OpenVINO compiles for another format without a word."""
    backend = open_backend(world, "cpu")
    assert isinstance(backend, openvino_backend.OpenVinoBackend)
    with pytest.raises(SonoramaError, match=f"OpenVINO computes in (f32|bf16) here, not in {precision}"):
        backend.open_fast(precision)


def test_exact_pictures_stay_the_same_bits_beside_it(world: World) -> None:
    """Whatever was compiled in another precision, and kept in the cache, before or since."""
    ws, before = codes(world), open_backend(world, "cpu")
    assert isinstance(before, openvino_backend.OpenVinoBackend)
    exact = before.synthesize(ws)
    for precision in ("bf16", "f16"):
        try:
            before.open_fast(precision)(ws)
        except SonoramaError:
            assert precision in MISSING
    np.testing.assert_array_equal(before.synthesize(ws), exact)
    np.testing.assert_array_equal(open_backend(world, "cpu").synthesize(ws), exact)


@needs_fast
def test_fast_pictures_are_close_to_exact_ones_and_repeat(world: World) -> None:
    loaded = LoadedWorld(world, open_backend(world, "cpu"))
    fast, ws = loaded.quality_gate.open_fast(loaded.backend), codes(world)
    assert loaded.quality_gate.decibels(fast.synthesize) >= ENOUGH_DB
    np.testing.assert_array_equal(fast.synthesize(ws), fast.synthesize(ws))
    assert not np.array_equal(fast.synthesize(ws), loaded.backend.synthesize(ws))
