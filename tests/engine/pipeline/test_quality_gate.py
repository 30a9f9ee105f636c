"""Low precision is used where its pictures are close to exact ones, and the next precision tried where they are not."""

from collections.abc import Callable

import numpy as np
import pytest

from sonorama.engine.inference.backend import open_backend
from sonorama.engine.inference.precision import NoFastPrecision, open_in, precision_of
from sonorama.engine.model.world_file import World, load_world
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.quality_gate import ENOUGH_DB, QualityGate, psnr
from sonorama.engine.units import Array

from ...rounding_backend import RoundingBackend


@pytest.fixture(scope="module")
def world(tiny_world: str) -> World:
    return load_world(tiny_world)


@pytest.fixture
def backend(world: World) -> RoundingBackend:
    return RoundingBackend(world)


@pytest.fixture
def gate(world: World, backend: RoundingBackend) -> QualityGate:
    return LoadedWorld(world, backend).quality_gate


def test_psnr() -> None:
    black, grey = np.zeros((4, 4, 4), np.uint8), np.full((4, 4, 4), 10, np.uint8)
    assert psnr(black, black) == float("inf")
    assert psnr(grey, black) == pytest.approx(20 * np.log10(25.5))
    grey[..., :3] = 0  # alpha does not count
    assert psnr(grey, black) == float("inf")


def test_what_rounds_a_little_is_good_enough(gate: QualityGate, backend: RoundingBackend) -> None:
    assert len(gate.pictures) == 4 and len({picture.tobytes() for picture in gate.pictures}) == 4
    fast = gate.open_fast(backend)
    assert precision_of(fast) == "bf16" and precision_of(backend) == "exact"
    assert ENOUGH_DB < gate.decibels(fast.synthesize) < 80
    assert gate.decibels(backend.synthesize) == float("inf")


def off_by(backend: RoundingBackend, errors: dict[str, float]) -> Callable[[str], Callable[[Array], Array]]:
    return lambda precision: lambda ws: backend.synthesize(ws) + np.float32(errors[precision])


def test_the_next_precision_is_tried_where_the_fastest_is_not_good_enough(
    gate: QualityGate, backend: RoundingBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.formats = ("bf16", "f16")
    monkeypatch.setattr(backend, "open_fast", off_by(backend, {"bf16": 0.02, "f16": 0.004}))
    assert precision_of(gate.open_fast(backend)) == "f16"


def test_none_is_used_where_none_is_good_enough(
    gate: QualityGate, backend: RoundingBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.formats = ("bf16", "f16")
    monkeypatch.setattr(backend, "open_fast", off_by(backend, {"bf16": 0.02, "f16": float("nan")}))
    with pytest.raises(NoFastPrecision, match=r"too far from exact .*bf16 3\d dB, f16 0 dB of 40"):
        gate.open_fast(backend)


def test_a_backend_that_knows_nothing_of_precision_has_none_and_paints_nothing_for_it(world: World) -> None:
    plain = open_backend(world, "ort")
    gate = LoadedWorld(world, plain).quality_gate
    assert gate.pictures == ()
    with pytest.raises(NoFastPrecision, match="no fast precision here") as caught:
        gate.open_fast(plain)
    assert "sonorama doctor" in caught.value.hint
    with pytest.raises(NoFastPrecision, match="onnxruntime-cpu cannot paint in bf16"):
        open_in(plain, "bf16")


def test_all_but_the_pictures_is_exact_in_low_precision(backend: RoundingBackend) -> None:
    fast, dice = open_in(backend, "bf16"), np.random.default_rng(1)
    window = dice.random((128, 344)).astype(np.float32)
    code = backend.embed_sound(window)
    np.testing.assert_array_equal(fast.embed_sound(window), code)
    np.testing.assert_array_equal(
        fast.invert_sound(window[:, -88:], code)[0], backend.invert_sound(window[:, -88:], code)[0]
    )
    z = dice.standard_normal(16).astype(np.float32)
    np.testing.assert_array_equal(fast.map_latent(z), backend.map_latent(z))
    assert (fast.name, fast.painters) == (backend.name, backend.painters)
