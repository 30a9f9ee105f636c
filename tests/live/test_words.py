"""Words and new worlds are loaded while the picture goes on: the renderer never imports torch for them."""

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.faults import Faults
from sonorama.engine.ipc.channel import Peer
from sonorama.engine.ipc.messages import Status
from sonorama.engine.model.world_file import load_world, save_world
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.prompt import prompt_seed
from sonorama.engine.pipeline.sound_seed import sound_seed
from sonorama.engine.renderer.world_loader import WorldLoader

from .stage import PATIENCE_S, LiveShow, Watcher

Start = Callable[..., LiveShow]
RAIN = Path(__file__).parents[2] / "examples" / "rain.ogg"
ASIDE = "sonorama.engine.renderer.preparation_worker"


@pytest.fixture(scope="module")
def worded(instrument: LoadedWorld, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tiny world with the words of the embedded one."""
    path = tmp_path_factory.mktemp("words") / "worded.safetensors"
    shore = load_world("shore")
    words = {k: v for k, v in shore.tensors.items() if k.startswith("text.") or k == "bank.codes"}
    card = replace(instrument.world.card, name="worded", text=shore.card.text)
    save_world(path, card, {**instrument.world.tensors, **words})
    WorldLoader(Faults()).open(str(path), "cpu")
    return str(path)


def newest(panel: Peer, status: Status) -> Status:
    message = panel.receive(PATIENCE_S)
    assert message is not None
    return message if isinstance(message, Status) else status


def has_torch(pid: int) -> bool:
    return "libtorch" in Path(f"/proc/{pid}/maps").read_text()


def test_words_are_found_beside_the_picture(start: Start, worded: str) -> None:
    show = start("--source", "tone", world=worded)
    renderer, world = show.playing(), load_world(worded)
    panel = show.panel()
    with Watcher(show.name) as watcher:
        for text in ("a storm over black rocks", "a red desert"):
            show.set("/look/text", text)
            status = Status()
            while "/look/text" not in status.loading:  # the panel can say that it is looked for
                status = newest(panel, status)
            show.holds("/look/prompt", prompt_seed(world, text))
            while status.loading:
                status = newest(panel, status)
            (preparation_worker,) = show.children(ASIDE)
            os.kill(preparation_worker, signal.SIGKILL)  # the next words begin another
    watcher.check_gaps()
    assert show.renderer() == renderer
    assert not has_torch(renderer)
    assert show.stop() == 143
    assert not show.children(ASIDE)


def test_points_of_the_blend_surface_take_words_and_the_sound_of_now(start: Start, worded: str) -> None:
    show = start("--source", "tone", world=worded)
    show.playing()
    text = "a red desert"
    show.set("/blend/2/text", text)
    show.holds("/blend/2/seed", prompt_seed(load_world(worded), text))
    assert show.values()["/look/prompt"] == -1
    show.set("/blend/5/hear", True)
    show.wait(lambda: show.values()["/blend/5/seed"] != -1, "no picture is found for the sound")
    show.set("/blend/amount", 1.0)
    show.holds("/blend/amount", 1.0)
    assert show.stop() == 143


def test_a_point_of_the_blend_surface_takes_a_recorded_sound(start: Start, worded: str, tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    shutil.copy(RAIN, sounds / "rain.ogg")
    (sounds / "broken.ogg").write_bytes(RAIN.read_bytes()[:40])
    show = start("--source", "tone", world=worded, env={"SONORAMA_SOUNDS": str(sounds)})
    renderer = show.playing()
    panel = show.panel()
    seed = sound_seed(load_world(worded), RAIN)
    with Watcher(show.name) as watcher:
        show.set("/blend/2/code", "")
        show.set("/blend/2/sound", "rain.ogg")
        show.holds("/blend/2/seed", seed)
        for wrong in ("gone.ogg", "../rain.ogg", "broken.ogg"):
            show.set("/blend/2/sound", wrong)
            status = Status()
            while not any("/blend/2/sound changes nothing" in line and wrong in line for line in status.faults):
                status = newest(panel, status)
            assert show.values()["/blend/2/seed"] == seed
    watcher.check_gaps()
    assert show.renderer() == renderer and not has_torch(renderer)
    assert show.stop() == 143


def test_a_world_that_is_new_here_is_made_ready_beside_the_picture(
    start: Start, tiny_world: str, instrument: LoadedWorld, tmp_path: Path
) -> None:
    path = tmp_path / "fresh.safetensors"
    tensors = dict(instrument.world.tensors)
    tensors["generator.mapping.w_avg"] = tensors["generator.mapping.w_avg"] + np.float32(0.25)
    save_world(path, replace(instrument.world.card, name="fresh"), tensors)
    show = start("--source", "tone", env={"SONORAMA_WORLDS": str(tmp_path)})
    renderer = show.playing()
    with Watcher(show.name) as watcher:
        show.set("/engine/world", "fresh")
        show.holds("/engine/world", "fresh")
        count = watcher.new
        show.wait(lambda: watcher.new > count + 30, "no pictures come")
    watcher.check_gaps()
    assert show.renderer() == renderer
    assert not has_torch(renderer)
