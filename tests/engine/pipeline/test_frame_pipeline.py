"""A performance goes on bit for bit from its state, its sound and its changes."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.errors import InputError
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.picture.output_controls import OutputControls, lifted
from sonorama.engine.picture.to_rgba8 import rgba8
from sonorama.engine.pipeline.frame_pipeline import FramePipeline, Open, mono
from sonorama.engine.pipeline.loaded_world import LoadedWorld, tick_sample, ticks_until
from sonorama.engine.pipeline.snapshot import read_state, save_state
from sonorama.engine.units import LEVELS, SAMPLE_RATE

_RNG = np.random.default_rng(0)
SOUND = (_RNG.standard_normal(20 * SAMPLE_RATE) * 0.1 * (np.arange(20 * SAMPLE_RATE) // 9000 % 3 == 0)).astype(
    np.float32
)
START: dict[str, Value] = {"/look/drift": 0.3, "/sound/auto_gain": True, "/moves/3/source": "lfo"}
CHANGES = {
    3: [Change("/motion/coarse/amount", 0.2, "test"), Change("/moves/3/target", "/look/truncation", "test")],
    9: [Change("/look/seed", 7, "test")],
    14: [Change("/sound/tap", True, "test"), Change("/look/seed_b", 9, "test"), Change("/look/fine/mix", 0.5, "test")],
    20: [Change("/sound/tap", True, "test"), Change("/sound/tempo", "tapped", "test")],
    25: [Change("/engine/fps", 48.0, "test"), Change("/look/truncation", 0.3, "scene", over=0.6)],
    31: [Change("/look/prompt", 40, "test"), Change("/sound/gain", 12.0, "test")],
    33: [Change("/sound/tap", True, "test"), Change("/sound/tap", True, "test"), Change("/sound/tap", True, "test")],
}


@pytest.fixture(scope="module")
def open_tiny(tiny_world: str) -> Open:
    instrument = LoadedWorld(world := load_world(tiny_world), open_backend(world, "cpu"))
    return lambda _world, _device: instrument


def play(player: FramePipeline, frames: int, changes: Mapping[int, Sequence[Change]] = CHANGES) -> list[np.ndarray]:
    codes = []
    while player.frame < frames:
        piece = SOUND[player.sample : player.next_sample]
        codes.append(player.step(piece, changes.get(player.frame, ())).w)
    return codes


CUTS = (1, 10, 26, 34, 60)


@pytest.fixture(scope="module")
def kept(open_tiny: Open, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[np.ndarray]]:
    """The states of a performance at some frames, and all 150 codes of it."""
    folder, player, codes = tmp_path_factory.mktemp("states"), FramePipeline(open_tiny, START), list[np.ndarray]()
    for cut in CUTS:
        codes += play(player, cut)
        save_state(folder / str(cut), player)
    return folder, codes + play(player, 150)


@pytest.mark.parametrize("cut", CUTS)
def test_a_restored_player_goes_on_bit_for_bit(open_tiny: Open, kept: tuple[Path, list[np.ndarray]], cut: int) -> None:
    folder, codes = kept
    second = FramePipeline(open_tiny, {})
    second.restore(*read_state(folder / str(cut)))
    assert (second.frame, second.sample) == (cut, second.grid.sample(cut - 1))
    again = play(second, 150)
    np.testing.assert_array_equal(again, codes[cut:])
    assert np.abs(np.diff(codes[cut:], axis=0)).max() > 0


def test_changes_act_at_their_frame(open_tiny: Open) -> None:
    plain, changed = FramePipeline(open_tiny, START), FramePipeline(open_tiny, START)
    a, b = play(plain, 12, {}), play(changed, 12, {9: CHANGES[9]})
    np.testing.assert_array_equal(a[:9], b[:9])
    assert not np.array_equal(a[10], b[10])


def test_another_place_arrives_over_the_morph_time(open_tiny: Open) -> None:
    """Silence shows the base alone: it moves from one place to the other, steadily, and arrives exactly."""
    silence: dict[int, Sequence[Change]] = {5: [Change("/look/seed", 7, "test")]}
    there = FramePipeline(open_tiny, {"/look/seed": 7, "/look/travel": 0.0, "/look/sway": 0.0})
    player = FramePipeline(open_tiny, {"/scene/morph": 0.5, "/look/travel": 0.0, "/look/sway": 0.0})
    codes = [
        player.step(np.zeros(player.next_sample - player.sample, np.float32), silence.get(t, ())).w for t in range(30)
    ]
    end = there.step(np.zeros(0, np.float32)).w
    np.testing.assert_array_equal(codes[-1], end)
    distance = [float(np.abs(w - end).max()) for w in codes]
    assert distance[4] == distance[0] > 0
    assert all(a > b for a, b in pairwise(distance[6:21]))
    assert distance[21] == 0.0  # 0.5 s are 15 frames


def test_without_a_morph_it_is_there_at_once(open_tiny: Open) -> None:
    player = FramePipeline(open_tiny, {"/scene/morph": 0.0})
    there = FramePipeline(open_tiny, {"/look/seed": 7})
    w = player.step(np.zeros(0, np.float32), [Change("/look/seed", 7, "test")]).w
    np.testing.assert_array_equal(w, there.step(np.zeros(0, np.float32)).w)


def test_frames_keep_to_the_samples_at_any_rate(open_tiny: Open) -> None:
    player = FramePipeline(open_tiny, {"/engine/fps": 29.97})
    play(player, 31, {})
    assert player.sample == int(30 * SAMPLE_RATE * 1001 / 30000)
    player.step(SOUND[player.sample : player.next_sample], [Change("/engine/fps", 60.0, "test")])
    before = player.sample
    assert player.next_sample - before == SAMPLE_RATE // 60
    with pytest.raises(ValueError, match="samples"):
        player.step(np.zeros(3, np.float32))


def test_another_world_in_the_middle(tiny_world: str, open_tiny: Open) -> None:
    """The second world hears what was there before it came; a replay that opens it there gives the same."""
    switch = {40: [Change("/engine/device", "ort", "test")]}
    world = load_world(tiny_world)
    both = {"auto": open_tiny("", ""), "ort": LoadedWorld(world, open_backend(world, "ort"))}
    first, second = (FramePipeline(lambda _world, device: both[device], START) for _ in range(2))
    a, b = play(first, 60, switch), play(second, 60, switch)
    np.testing.assert_array_equal(a, b)
    assert first.instrument is both["ort"]
    straight = play(FramePipeline(open_tiny, START), 60, {})
    np.testing.assert_allclose(a, straight, atol=2e-3)  # the same world on another device goes on as it was


@pytest.mark.parametrize("frame", [1, 7, 45])
def test_a_jump_is_what_silence_before_would_have_been(open_tiny: Open, frame: int) -> None:
    """Begun in the middle it hears and moves as after silence, on the same grids."""
    still: dict[str, Value] = {"/look/seed": 3}
    player, jumped = FramePipeline(open_tiny, still), FramePipeline(open_tiny, still)
    while player.frame < frame:
        player.step(np.zeros(player.next_sample - player.sample, np.float32))
    jumped.jump(frame, player.next_sample)
    player.step(np.zeros(player.next_sample - player.sample, np.float32))
    jumped.step(np.zeros(0, np.float32))
    for _ in range(40):
        step, other = (one.step(SOUND[: one.next_sample - one.sample]) for one in (player, jumped))
        assert step.sample == other.sample
        assert other.features == step.features
        heard, theirs = (one.conditioner.displacement_at(one.sample) for one in (player, jumped))
        np.testing.assert_allclose(theirs[0], heard[0], atol=1e-6)
        assert jumped.motion.tick == player.motion.tick
    # E_RNN itself has not been rocked by the silence before: w is only close.
    assert np.abs(player.conditioner.displacement_at(player.sample)[0]).max() > 0.01


@pytest.mark.parametrize("switch", ["mute", "hold"])
def test_what_is_muted_or_held_stands_out_of_the_box(open_tiny: Open, switch: str) -> None:
    """Hits also move the truncation, which acts on where the picture stands: levels that are out of play keep out."""
    dice = np.random.default_rng(4)
    sound = (
        dice.standard_normal(6 * SAMPLE_RATE) * 0.5 * (np.arange(6 * SAMPLE_RATE) % (SAMPLE_RATE // 2) < 2000)
    ).astype(np.float32)
    on = [Change(f"/motion/{level}/{switch}", True, "test") for level in LEVELS]
    walk = [] if switch == "mute" else [Change("/look/drift", 1.0, "test"), Change("/look/seed", 9, "test")]
    player, codes = FramePipeline(open_tiny, {}), list[np.ndarray]()
    for frame in range(90):
        asked = on if frame == 45 else walk if frame == 50 else []
        step = player.step(sound[player.sample : player.next_sample], asked)
        codes.append(step.w)
    moved = np.abs(np.diff(codes, axis=0)).max(axis=(1, 2))
    assert moved[20:44].max() > 0
    assert moved[55:].max() == 0


@pytest.mark.parametrize(
    ("master", "depth", "lift"), [(1.0, -0.4, 0.6), (0.5, 0.25, 1.5), (0.5, 1.0, 2.0), (0.0, 1.0, 1.0)]
)
def test_a_move_on_the_master_lights_the_picture_and_leaves_the_control(
    open_tiny: Open, master: float, depth: float, lift: float
) -> None:
    """The show puts both on: what leaves is the picture at the brightness that the move asks for, not cut off."""
    move: dict[str, Value] = {
        "/moves/4/source": "steps", "/moves/4/steps": "1", "/moves/4/target": "/out/master", "/moves/4/depth": depth,
        "/out/master": master,
    }  # fmt: skip
    step = FramePipeline(open_tiny, move).step(np.zeros(0, np.float32))
    plain = FramePipeline(open_tiny, {}).step(np.zeros(0, np.float32))
    assert step.values["/out/master"] == master
    assert step.lift == pytest.approx(lift)
    np.testing.assert_array_equal(step.picture(), plain.picture())
    wanted = min(max(master + depth, 0.0), 1.0) if master else 0.0
    plain_values = {**plain.values, "/out/flash_guard": False, "/out/master": wanted}
    values = lifted({**step.values, "/out/flash_guard": False}, step.lift)
    left, expected = (
        OutputControls(64, 64).apply(rgba8(plain.picture()), one, 0.0, 1 / 30) for one in (values, plain_values)
    )
    np.testing.assert_array_equal(left, expected)


@pytest.mark.parametrize("damage", ["missing", "text", "cut", "foreign"])
def test_a_damaged_state_is_refused(open_tiny: Open, tmp_path: Path, damage: str, tiny_world: str) -> None:
    path = tmp_path / "state"
    save_state(path, FramePipeline(open_tiny, {}))
    data = path.read_bytes()
    match damage:
        case "missing":
            path.unlink()
        case "text":
            path.write_text("words")
        case "cut":
            path.write_bytes(data[: len(data) // 2])
        case _:
            path.write_bytes(Path(tiny_world).read_bytes())
    with pytest.raises(InputError):
        read_state(path)


def test_ticks_are_counted_as_they_are_due(open_tiny: Open) -> None:
    space = open_tiny("", "").space
    for sample in [*range(1, 9000, 7), *(tick_sample(space, k) + d for k in range(1, 50) for d in (-1, 0, 1))]:
        tick = ticks_until(space, sample)
        assert tick_sample(space, tick - 1) <= sample < tick_sample(space, tick)


def test_mono_is_the_mean_of_both_sides() -> None:
    stereo = np.array([[1.0, 0.0, -1.0], [0.5, 0.0, 1.0]], np.float32)
    assert mono(stereo).tolist() == [0.75, 0.0, 0.0]
