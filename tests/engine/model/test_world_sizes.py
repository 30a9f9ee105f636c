"""Worlds of other sizes are built, played, exported and filmed. Their weights are random: this tests the plumbing."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from sonorama.engine.cli.main import main
from sonorama.engine.control.assignments import start_values
from sonorama.engine.errors import SonoramaError, WorldError
from sonorama.engine.faults import Faults
from sonorama.engine.inference.backend import Backend, open_backend
from sonorama.engine.inference.graph_cache import ready_graphs
from sonorama.engine.inference.runtimes import onnxruntime
from sonorama.engine.ipc.frame_map import FrameMap
from sonorama.engine.model import build
from sonorama.engine.model.build import build_networks
from sonorama.engine.model.config import EncoderConfig, FramesConfig
from sonorama.engine.model.sound_inversion import SoundInversionEncoder
from sonorama.engine.model.world_file import World, load_world
from sonorama.engine.picture.to_rgba8 import rgba8
from sonorama.engine.pipeline.frame_pipeline import FramePipeline
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.offline import OfflineRender
from sonorama.engine.renderer.paint_thread import PaintThread
from sonorama.engine.units import LEVELS, SAMPLE_RATE

from ...worlds import write_world

SIZES = {
    "rnn 512": {"rnn_hidden": 512},
    "wide encoder": {"widths": (48, 96, 192, 384), "hidden": 512},
    "16 codes": {"num_ws": 16},
    "cuts 3 6": {"cuts": (3, 6)},
    "cuts 4 8": {"cuts": (4, 8)},
    "4x7": {"const": (4, 7)},
    "6x3": {"const": (6, 3)},
    "frame encoder": {"frames": FramesConfig((4, 6, 8, 12), 20)},
}
WHOLE = {
    "wide": {"const": (4, 7), "rnn_hidden": 512, "cuts": (3, 6)},
    "many codes": {"num_ws": 16, "cuts": (4, 8), "widths": (48, 96, 192, 384), "hidden": 512},
}
"""All of them in two worlds."""
SOUND = np.random.default_rng(2).standard_normal(SAMPLE_RATE).astype(np.float32) * np.float32(0.1)


def play(world: World, backend: Backend) -> np.ndarray:
    """Eight frames [8,H,W,3]."""
    return np.stack(list(OfflineRender(world, start_values(()), Fraction(15), backend).frames([SOUND], 8)))


@pytest.mark.parametrize("case", SIZES)
def test_a_world_of_other_sizes_plays(case: str, tmp_path: Path) -> None:
    """Its pictures have its shape, move with the sound, and each level does its part."""
    write_world(tmp_path / "w.safetensors", **SIZES[case])
    world = load_world(tmp_path / "w.safetensors")
    card, backend = world.card, open_backend(world, "reference")
    films = play(world, backend)
    assert films.shape == (8, card.height, card.width, 3)
    assert np.abs(films[-1] - films[0]).max() > 1e-3
    render = OfflineRender(world, start_values(()), Fraction(15), backend)
    assert render.size == (card.width, card.height)
    *_, w = render.codes([SOUND], 8)
    assert w.shape == (card.num_ws, card.w_dim)
    base = next(iter(render.codes([np.zeros(10, np.float32)], 1)))
    moved = np.abs(w - base).max(1) > 0
    assert moved.all()
    muted = {f"/motion/{level}/mute": True for level in LEVELS}
    still = [*OfflineRender(world, {**start_values(()), **muted}, Fraction(15), backend).codes([SOUND], 8)][-1]
    assert np.array_equal(still, base)


def test_nothing_is_allocated_for_sizes_that_the_tensors_do_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The largest heads that a card may ask E_a for are built on torch's meta device only."""
    devices: list[str] = []

    class Watched(SoundInversionEncoder):
        def __init__(self, config: EncoderConfig) -> None:
            super().__init__(config)
            devices.extend({x.device.type for x in self.state_dict().values()})

    monkeypatch.setattr(build, "SoundInversionEncoder", Watched)
    write_world(tmp_path / "w.safetensors")
    world = load_world(tmp_path / "w.safetensors")
    build.build_networks(world)
    assert devices == ["meta", "cpu"]
    lying = replace(world.card, encoder=replace(world.card.encoder, hidden=8192))
    with pytest.raises(WorldError, match="its encoder does not fit its card"):
        build.build_networks(World(lying, world.tensors))
    assert devices == ["meta", "cpu", "meta"]


@pytest.fixture(scope="module", params=list(WHOLE))
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose graphs are made, in a cache of its own."""
    folder = tmp_path_factory.mktemp("sizes")
    write_world(folder / "w.safetensors", **WHOLE[request.param])
    world = load_world(folder / "w.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SONORAMA_CACHE", str(folder / "cache"))
        ready_graphs(world)
        yield world


def test_its_graphs_give_what_torch_gives(prepared: World) -> None:
    """Every graph, on random numbers; its inputs and outputs are the ports of the card."""
    networks, folder, rng = build_networks(prepared), ready_graphs(prepared), torch.Generator().manual_seed(1)
    modules = {"sound": networks.sound, "encoder": networks.encoder, "motion": networks.motion}
    modules |= {"mapping": networks.generator.mapping, "synthesis": networks.play()}
    for name, module in modules.items():
        session = onnxruntime().InferenceSession(str(folder / f"{name}.onnx"), providers=["CPUExecutionProvider"])
        mine = [port for port in prepared.card.ports() if port.network == name]
        assert [x.name for x in session.get_inputs()] == [p.name for p in mine if p.direction == "in"]
        assert [x.name for x in session.get_outputs()] == [p.name for p in mine if p.direction == "out"]
        given = {p.name: torch.rand(1, *p.shape, generator=rng) for p in mine if p.direction == "in"}
        with torch.inference_mode():
            answer = module(*given.values())
        expected = [answer] if isinstance(answer, torch.Tensor) else list(answer)
        got = session.run(None, {key: x.numpy() for key, x in given.items()})
        shapes = [(1, *p.shape) for p in mine if p.direction == "out"]
        for want, have, shape in zip(expected, got, shapes, strict=True):
            assert np.asarray(have).shape == shape
            assert np.abs(want.numpy() - np.asarray(have)).max() < 1e-4, name


def test_the_command_line_films_it(prepared: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On the CPU's own libraries, at the world's size; another size is scaled to cover."""
    examples = Path(__file__).parents[3] / "examples"
    card = prepared.card
    for size, shape in (([], (card.width, card.height)), (["--size", "96x54"], (96, 54))):
        out = tmp_path / f"{len(size)}.mkv"
        command = ["render", str(examples / "fire.ogg"), "-o", str(out), "--preset", "ffv1", "--world", card.path]
        assert main([*command, "--duration", "0.2", "--device", "cpu", *size]) == 0, capsys.readouterr().err
        with av.open(str(out)) as film:
            frames = list(film.decode(video=0))
        assert {(frame.width, frame.height) for frame in frames} == {shape}
        assert len(frames) == 6


@pytest.mark.parametrize(("width", "height", "shape"), [(0, 0, None), (0, 128, "wide"), (60, 90, (60, 90))])
def test_a_show_paints_it(prepared: World, width: int, height: int, shape: object) -> None:
    """A frame of the pipeline goes through the paint thread into its frame map, at the world's own size or another."""
    loaded = LoadedWorld(prepared, open_backend(prepared, "ort"))
    pipeline = FramePipeline(lambda _world, _device: loaded, {"/out/width": width, "/out/height": height})
    frame = pipeline.step(np.zeros(pipeline.next_sample, np.float32))
    own = prepared.card.width, prepared.card.height
    expected = own if shape is None else shape if shape != "wide" else (128 * own[0] // own[1], 128)
    faults = Faults()
    name = f"sizes-{os.getpid()}"
    painter = PaintThread(name, faults)
    try:
        painter.offer(frame, 0)
        pixels = published(name)
    finally:
        painter.close()
    assert (pixels.shape[1], pixels.shape[0]) == expected
    if shape is None:
        assert np.array_equal(pixels, rgba8(frame.picture()))


def published(name: str) -> np.ndarray:
    """The first picture of a frame map that may not be there yet."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        with contextlib.suppress(SonoramaError), contextlib.closing(FrameMap(name)) as frames:
            if slot := frames.newest():
                return slot.pixels.copy()
        time.sleep(0.05)
    raise TimeoutError(f"no picture in {name}")
