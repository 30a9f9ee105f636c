"""Which precision a frame is painted in: what is asked for, what `auto` decides, and what a machine does not have."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from sonorama.engine.audio.features import Features
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Value
from sonorama.engine.faults import Faults
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import World, load_world
from sonorama.engine.pipeline.frame_pipeline import FrameResult
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.renderer.precision import PrecisionSwitch
from sonorama.engine.renderer.rate_watch import SETTLE_S, SLOW_S
from sonorama.engine.units import Array

from ...rounding_backend import EARLY, RoundingBackend, bf16

PATIENCE_S = 60.0
PRECISION, FPS, WIDTH = "/engine/precision", "/engine/fps", "/out/width"
DEFAULTS = {path: param.default for path, param in SHOW.items()}


@pytest.fixture(scope="module")
def world(tiny_world: str) -> World:
    return load_world(tiny_world)


@pytest.fixture
def backend(world: World) -> RoundingBackend:
    return RoundingBackend(world)


@pytest.fixture
def loaded(world: World, backend: RoundingBackend) -> LoadedWorld:
    return LoadedWorld(world, backend)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def switch(faults: Faults) -> PrecisionSwitch:
    return PrecisionSwitch(faults)


def frame(loaded: LoadedWorld, values: Mapping[str, Value] | None = None, number: int = 0) -> FrameResult:
    w = loaded.seed_bank.base(5, 0.7, 0.0, None, 0.0)
    features = Features(0, 0, 0, 0, 0, 0, 0, -100)
    return FrameResult(number, number * 1470, w, {**DEFAULTS, **(values or {})}, features, loaded)


def painted(switch: PrecisionSwitch, loaded: LoadedWorld, values: Mapping[str, Value] | None = None) -> Array:
    return switch.applied(frame(loaded, values)).picture()


def until(switch: PrecisionSwitch, loaded: LoadedWorld, values: Mapping[str, Value], precision: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while switch.precision != precision:
        assert time.monotonic() < end
        time.sleep(0.01)
        switch.applied(frame(loaded, values))


def miss(switch: PrecisionSwitch, begun: float = 0.0) -> None:
    """The rate for longer than it takes until something is done about it."""
    for tick in range(round((SETTLE_S + SLOW_S + 1) * 10)):
        switch.measured(begun + tick / 10, 15.0, 0.06)


def exact(loaded: LoadedWorld) -> Array:
    return loaded.backend.synthesize(frame(loaded).w)


def fast(loaded: LoadedWorld) -> Array:
    return bf16(loaded.backend.synthesize(bf16(frame(loaded).w)))


def test_pictures_are_exact_to_the_bit_until_something_else_is_wanted(
    switch: PrecisionSwitch, loaded: LoadedWorld, backend: RoundingBackend
) -> None:
    for values in ({}, {PRECISION: "exact"}):
        step = frame(loaded, values)
        assert switch.applied(step) is step
        assert switch.precision == "exact"
    np.testing.assert_array_equal(painted(switch, loaded), exact(loaded))
    assert backend.opened == []


def held_back(backend: RoundingBackend, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let the backend wait with opening in a fast precision until the event is set."""
    go_on, opened = threading.Event(), backend.open_fast

    def slow(precision: str) -> Callable[[Array], Array]:
        assert go_on.wait(PATIENCE_S)
        return opened(precision)

    monkeypatch.setattr(backend, "open_fast", slow)
    return go_on


def test_fast_is_opened_aside_and_paints_from_a_frame_on(
    switch: PrecisionSwitch, loaded: LoadedWorld, backend: RoundingBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = held_back(backend, monkeypatch)
    wanted = {PRECISION: "fast"}
    for _ in range(5):
        np.testing.assert_array_equal(painted(switch, loaded, wanted), exact(loaded))
    go_on.set()
    until(switch, loaded, wanted, "bf16")
    np.testing.assert_array_equal(painted(switch, loaded, wanted), fast(loaded))
    assert not np.array_equal(fast(loaded), exact(loaded))
    np.testing.assert_array_equal(painted(switch, loaded, {PRECISION: "exact"}), exact(loaded))
    np.testing.assert_array_equal(painted(switch, loaded, wanted), fast(loaded))  # it is open already
    assert backend.opened == ["bf16"]


def test_whoever_asks_for_fast_where_there_is_none_is_told(
    switch: PrecisionSwitch, world: World, faults: Faults
) -> None:
    plain = LoadedWorld(world, open_backend(world, "ort"))
    wanted = {PRECISION: "fast"}
    end = time.monotonic() + PATIENCE_S
    while not faults.recent():
        assert time.monotonic() < end
        np.testing.assert_array_equal(painted(switch, plain, wanted), exact(plain))
    (line,) = faults.recent()
    assert line.startswith("Pictures stay exact: onnxruntime-cpu has no fast precision here")
    assert switch.precision == "exact"


def test_a_world_that_low_precision_spoils_stays_exact(
    switch: PrecisionSwitch, loaded: LoadedWorld, backend: RoundingBackend, faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(backend, "open_fast", lambda precision: lambda ws: backend.synthesize(ws) + np.float32(0.02))
    end = time.monotonic() + PATIENCE_S
    while not faults.recent():
        assert time.monotonic() < end
        painted(switch, loaded, {PRECISION: "fast"})
    assert "too far from exact for this world (bf16 3" in faults.recent()[0]
    assert switch.precision == "exact"


def test_a_backend_that_fails_to_open_it_is_told_and_asked_again_later(
    switch: PrecisionSwitch, loaded: LoadedWorld, backend: RoundingBackend, faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def broken(precision: str) -> Callable[[Array], Array]:
        raise RuntimeError("of the driver")

    monkeypatch.setattr(backend, "open_fast", broken)
    wanted = {PRECISION: "fast"}
    end = time.monotonic() + PATIENCE_S
    while not faults.recent():
        assert time.monotonic() < end
        painted(switch, loaded, wanted)
    assert faults.recent() == ["Pictures stay exact: RuntimeError: of the driver"]
    monkeypatch.undo()
    end = time.monotonic() + PATIENCE_S
    while switch.precision == "exact":
        assert time.monotonic() < end
        painted(switch, loaded, {PRECISION: "exact"})
        until_idle(switch)
        painted(switch, loaded, wanted)
        until_idle(switch)
        painted(switch, loaded, wanted)


def until_idle(switch: PrecisionSwitch) -> None:
    if switch._opening is not None:
        switch._opening[1].join(PATIENCE_S)


def test_auto_goes_to_fast_when_exact_misses_the_rate(switch: PrecisionSwitch, loaded: LoadedWorld) -> None:
    np.testing.assert_array_equal(painted(switch, loaded), exact(loaded))
    miss(switch)
    until(switch, loaded, {}, "bf16")
    np.testing.assert_array_equal(painted(switch, loaded), fast(loaded))


def test_auto_stays_fast_however_quick_painting_is_then(switch: PrecisionSwitch, loaded: LoadedWorld) -> None:
    painted(switch, loaded)
    miss(switch)
    until(switch, loaded, {}, "bf16")
    for tick in range(600):
        switch.measured(100 + tick / 10, 30.0, 0.01)
    assert switch.applied(frame(loaded)).instrument is not loaded


def test_auto_says_nothing_where_there_is_no_fast_precision(
    switch: PrecisionSwitch, world: World, faults: Faults
) -> None:
    plain = LoadedWorld(world, open_backend(world, "ort"))
    painted(switch, plain)
    miss(switch)
    painted(switch, plain)
    until_idle(switch)
    np.testing.assert_array_equal(painted(switch, plain), exact(plain))
    assert faults.recent() == []


@pytest.mark.parametrize(
    ("change", "precision"),
    [
        ({FPS: 24.0}, "exact"),
        ({FPS: 60.0}, "bf16"),
        ({WIDTH: 32}, "exact"),
        ({WIDTH: 512}, "bf16"),
        ({PRECISION: "exact"}, "exact"),
        ({PRECISION: "fast"}, "bf16"),
        ({"/look/seed": 9}, "bf16"),
    ],
)
def test_auto_goes_back_only_when_somebody_makes_it_easier(
    switch: PrecisionSwitch, loaded: LoadedWorld, change: dict[str, Value], precision: str
) -> None:
    painted(switch, loaded)
    miss(switch)
    until(switch, loaded, {}, "bf16")
    painted(switch, loaded, change)
    assert switch.precision == precision


def test_another_world_begins_exact_and_may_become_fast_again(
    switch: PrecisionSwitch, loaded: LoadedWorld, backend: RoundingBackend
) -> None:
    painted(switch, loaded)
    miss(switch)
    until(switch, loaded, {}, "bf16")
    other = replace(loaded, backend=RoundingBackend(loaded.world))
    np.testing.assert_array_equal(painted(switch, other), exact(other))
    miss(switch, 100.0)
    until(switch, other, {}, "bf16")
    assert backend.opened == ["bf16"]


def test_a_world_that_is_left_while_fast_is_opened_is_not_painted(
    switch: PrecisionSwitch, loaded: LoadedWorld, backend: RoundingBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = held_back(backend, monkeypatch)
    wanted = {PRECISION: "fast"}
    painted(switch, loaded, wanted)
    opening = switch._opening
    other = replace(loaded, backend=RoundingBackend(loaded.world))
    painted(switch, other, wanted)
    go_on.set()
    assert opening is not None
    opening[1].join(PATIENCE_S)
    until(switch, other, wanted, "bf16")
    assert switch.applied(frame(other, wanted)).instrument.world is other.world
    np.testing.assert_array_equal(painted(switch, other, {PRECISION: "exact"}), exact(other))


def test_a_renderer_that_takes_over_paints_on_in_the_same_precision(
    switch: PrecisionSwitch, loaded: LoadedWorld
) -> None:
    switch.resume(loaded, "bf16")
    np.testing.assert_array_equal(painted(switch, loaded), fast(loaded))
    np.testing.assert_array_equal(painted(switch, loaded, {PRECISION: "exact"}), exact(loaded))


def test_a_renderer_that_cannot_paint_as_the_one_before_is_exact(switch: PrecisionSwitch, loaded: LoadedWorld) -> None:
    switch.resume(loaded, "f16")
    np.testing.assert_array_equal(painted(switch, loaded), exact(loaded))
    assert switch.precision == "exact"


RATE = 30.0


def overload(switch: PrecisionSwitch, loaded: LoadedWorld, begun: float, seconds: float) -> None:
    """Pictures that take too long, ten measurements a second; what is to be opened then is open at the end."""
    values = None if switch._demand is None else {PRECISION: switch._demand.setting}
    for tick in range(round(seconds * 10)):
        switch.measured(begun + tick / 10, 15.0, 0.06, 0.07)
        switch.applied(frame(loaded, values))
        until_idle(switch)
    switch.applied(frame(loaded, values))


def calm(switch: PrecisionSwitch, begun: float, seconds: float) -> None:
    for tick in range(round(seconds * 10)):
        switch.measured(begun + tick / 10, RATE, 0.005, 0.006)


@pytest.fixture
def early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(EARLY, "1")


STEP_S = SETTLE_S + SLOW_S + 1


@pytest.mark.usefixtures("early")
def test_when_fast_is_too_slow_the_last_block_is_left_out_then_every_second_frame(
    switch: PrecisionSwitch, loaded: LoadedWorld, backend: RoundingBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    painted(switch, loaded)
    overload(switch, loaded, 0, STEP_S)
    assert (switch.told, backend.opened) == ("bf16", ["bf16"])
    overload(switch, loaded, 20, STEP_S)
    assert (switch.told, backend.opened) == ("bf16, early exit", ["bf16", "early bf16"])
    early_picture = backend.open_early("bf16")(frame(loaded).w)
    np.testing.assert_array_equal(painted(switch, loaded), early_picture)
    assert not switch.leaves_out(1)
    overload(switch, loaded, 40, STEP_S)
    assert (switch.told, switch.precision) == ("bf16, early exit, half rate", "bf16, early exit")
    assert [switch.leaves_out(number) for number in range(4)] == [False, True, False, True]
    calm(switch, 60, 12)
    assert not switch.leaves_out(1)
    calm(switch, 72, 12)
    np.testing.assert_array_equal(painted(switch, loaded), fast(loaded))
    assert switch.told == "bf16"
    lines = [one.message for one in caplog.records if one.name.endswith("renderer.precision")]
    assert [line.rpartition(": ")[2] for line in lines[1:]] == [
        "the last block of the generator is left out (early exit)", "every second frame is left out",
        "the last block of the generator is left out (early exit)", "every frame is painted in full",
    ]  # fmt: skip
    assert "95 in 100 pictures take 70 ms at most" in lines[1]


def test_a_backend_without_fast_arithmetic_leaves_out_too(switch: PrecisionSwitch, world: World) -> None:
    plain = LoadedWorld(world, open_backend(world, "ort"))
    painted(switch, plain)
    for begun in (0, 20):
        overload(switch, plain, begun, STEP_S)
    assert switch.told == "exact, early exit"
    assert painted(switch, plain).shape == exact(plain).shape
    assert not np.array_equal(painted(switch, plain), exact(plain))


@pytest.mark.parametrize("claims", [False, True])
def test_without_an_early_exit_every_second_frame_is_left_out(
    switch: PrecisionSwitch,
    loaded: LoadedWorld,
    backend: RoundingBackend,
    monkeypatch: pytest.MonkeyPatch,
    claims: bool,
) -> None:
    def broken(precision: str) -> Callable[[Array], Array]:
        raise RuntimeError("of the driver")

    monkeypatch.setenv(EARLY, "1" if claims else "")
    monkeypatch.setattr(backend, "open_early", broken)
    painted(switch, loaded)
    for begun in (0, 20, 40):
        overload(switch, loaded, begun, STEP_S)
    assert switch.told == "bf16, half rate"
    calm(switch, 60, 12)
    assert switch.told == "bf16"


@pytest.mark.usefixtures("early")
@pytest.mark.parametrize(("setting", "told"), [("exact", "exact"), ("fast", "bf16, early exit"), ("auto", "bf16")])
def test_exact_leaves_nothing_out_however_slow(
    switch: PrecisionSwitch, loaded: LoadedWorld, setting: str, told: str
) -> None:
    painted(switch, loaded, {PRECISION: setting})
    until_idle(switch)
    overload(switch, loaded, 0, STEP_S)
    assert switch.told == told
    switch.applied(frame(loaded, {PRECISION: "exact"}))
    assert switch.told == "exact"
    assert not switch.leaves_out(1)


@pytest.mark.usefixtures("early")
def test_what_is_asked_for_later_begins_with_everything(switch: PrecisionSwitch, loaded: LoadedWorld) -> None:
    painted(switch, loaded)
    for begun in (0, 20, 40):
        overload(switch, loaded, begun, STEP_S)
    painted(switch, loaded, {FPS: 24.0})
    assert switch.told == "exact"
    painted(switch, loaded, {FPS: 24.0, PRECISION: "fast"})
    assert switch.told == "bf16"


@pytest.mark.usefixtures("early")
@pytest.mark.parametrize("precision", ["bf16, early exit", "exact, early exit"])
def test_a_renderer_that_takes_over_leaves_out_the_same(
    switch: PrecisionSwitch, loaded: LoadedWorld, backend: RoundingBackend, precision: str
) -> None:
    switch.resume(loaded, precision)
    expected = backend.open_early(precision.split(",")[0])(frame(loaded).w)
    np.testing.assert_array_equal(painted(switch, loaded), expected)
    assert switch.precision == precision
    calm(switch, 0, 12)
    assert painted(switch, loaded) is not None
    assert switch.told == precision.split(",")[0]
