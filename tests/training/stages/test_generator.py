"""Stage 0 at a tiny size: it learns, stops, goes on, starts from a world, and its windows are parts of its pictures."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.wide_data import wide_data
from torch import Tensor, nn

from sonorama.engine.model.generator import Generator, GeneratorConfig
from sonorama.training.data.photos import PictureSet, picture_set
from sonorama.training.stages.generator.fast_synthesis import paint
from sonorama.training.stages.generator.mixtures import Draws, mixed_codes
from sonorama.training.stages.generator.plan import GeneratorPlan, JudgeWeights, Phase, WindowPlan
from sonorama.training.stages.generator.progress import Progress
from sonorama.training.stages.generator.trainer import PARTS, GeneratorTrainer
from sonorama.training.stages.generator.windows import Windows

TINY = GeneratorConfig(64, z_dim=8, w_dim=16, channel_base=256, channel_max=16, const_width=7)
WINDOW = WindowPlan(from_side=16, cells=10, context=3, seen=32)
PLAN = GeneratorPlan(
    phases=(
        Phase(8, 64, 8, 2e-2, 1e-2),
        Phase(16, 32, 4, 1e-2, 1e-2, features=64),
        Phase(64, 48, 4, 4e-3, 1e-3, features=64, windows=True),
    ),
    window=WINDOW, judges_over=(0, 12), warmup=2, r1_every=3, r1_batch=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wide_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def data(root: Path) -> PictureSet:
    return picture_set(root, root / "set.safetensors", *TINY.shape(), z_dim=8)


def trainer(data: PictureSet, folder: Path, seed: int = 3, plan: GeneratorPlan = PLAN) -> GeneratorTrainer:
    torch.manual_seed(seed)
    return GeneratorTrainer(data, TINY, plan, folder)


def lively() -> Generator:
    """A generator whose noise, biases and colours of all blocks matter."""
    torch.manual_seed(5)
    g = Generator(TINY)
    for p in g.parameters():
        p.data += 0.2 * torch.randn_like(p)
    return g.requires_grad_(False)


def test_training_paints_what_the_engine_paints() -> None:
    g = lively()
    ws = g.mapping(torch.randn(2, 8))
    for side in (4, 16, 64):
        reference = g.synthesis(ws, "none", side)
        assert (paint(g.stylegan2, ws, side)[1] - reference).abs().max() < 1e-4


def test_training_has_the_gradients_of_the_engine() -> None:
    g = lively().requires_grad_(True)
    z = torch.randn(2, 8)
    g.synthesis(g.mapping(z), "none").square().mean().backward()
    reference = {k: p.grad.clone() for k, p in g.named_parameters() if p.grad is not None}
    g.zero_grad(set_to_none=True)
    paint(g.stylegan2, g.mapping(z), 64)[1].square().mean().backward()
    for k, p in g.named_parameters():
        if k in reference and not k.endswith("noise_strength"):
            assert p.grad is not None
            assert (p.grad - reference[k]).abs().max() < 1e-4 * (1 + reference[k].abs().max())


@pytest.mark.parametrize(("top", "left"), [(0, 0), (1, 2), (3, 9), (6, 18), (5, 17), (0, 18), (6, 0)])
def test_a_window_is_that_part_of_the_whole_picture(top: int, left: int) -> None:
    g = lively()
    ws = g.mapping(torch.randn(2, 8))
    whole = paint(g.stylegan2, ws, 64)[1]
    rows, columns = TINY.shape(16)
    windows = Windows([top, 6 - top], [left, 18 - left], WINDOW, rows, columns)
    painted = windows.paint(g.stylegan2, ws, paint(g.stylegan2, ws, 16), noise=None)
    assert painted.shape == (2, 3, 40, 40)
    assert (painted - windows.cut(whole, 4)).abs().max() < 1e-4


def test_too_little_context_would_show() -> None:
    g = lively()
    ws = g.mapping(torch.randn(1, 8))
    whole, before = paint(g.stylegan2, ws, 64)[1], paint(g.stylegan2, ws, 16)
    windows = Windows([3], [9], replace(WINDOW, context=1), *TINY.shape(16))
    painted = windows.paint(g.stylegan2, ws, before, noise=None)
    assert (painted - windows.cut(whole, 4)).abs().max() > 1e-3


def test_windows_reach_every_border_and_weigh_it() -> None:
    torch.manual_seed(0)
    windows = Windows.draw(200, TINY, WINDOW)
    assert {min(windows.top), max(windows.top), min(windows.left), max(windows.left)} == {0, 6, 18}
    assert sum(t == 0 for t in windows.top) > 200 / 13 * 2
    weights = windows.border_weights(4, 3, 6.0, torch.device("cpu"))
    for one, top, left in zip(weights[:, 0], windows.top, windows.left, strict=True):
        assert (one[0, 20] == 6) == (top == 0)
        assert (one[-1, 20] == 6) == (top == 6)
        assert (one[20, 2] == 6) == (left == 0)
        assert (one[20, -1] == 6) == (left == 18)
        assert one[20, 20] == 1


def test_mixtures_are_of_two_to_four_anchors_and_half_lie_near_one() -> None:
    torch.manual_seed(0)
    shares = mixed_codes(torch.eye(50), 4000, 0.0)
    assert shares.sum(1).allclose(torch.ones(4000))
    assert int((shares > 0).sum(1).max()) == 4
    near = (shares.amax(1) > 0.75).float().mean().item()
    assert 0.3 < near < 0.6


def test_held_out_pictures_are_never_drawn(data: PictureSet) -> None:
    torch.manual_seed(0)
    draws = Draws(data)
    assert not data.held[draws(500)].any()
    assert (data.class_id[draws(200, clean=True)] == -1).all()


def test_all_phases_run_and_the_pictures_come_nearer(data: PictureSet, tmp_path: Path) -> None:
    one, off = trainer(data, tmp_path), [False]
    first = one.train_step()["l1"]
    one.run(lambda: off[0], Progress(tmp_path, data, replace(PLAN, measure_s=1e9)).draw)
    assert one.done
    assert {p.name.split("_")[0] for p in (tmp_path / "grids").iterdir()} == {"seeds", "codes"}
    with torch.no_grad():
        rows = torch.nonzero(data.weight > 0)[:12, 0]
        made = one.generator.synthesis(one.generator.mapping(data.codes[rows]), "const", form="activations")
    assert (made - data.at(rows, 64)).abs().mean() < first
    again = trainer(data, tmp_path, seed=9)
    assert again.load() and again.done
    for a, b in zip(one.average.parameters(), again.average.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_stopped_training_goes_on_as_if_nothing_had_come_between(data: PictureSet, tmp_path: Path) -> None:
    """Across the change of phase, and through steps with judges and mixtures."""
    whole = trainer(data, tmp_path / "whole")
    whole.phase, whole.images = 1, 16
    for _ in range(8):
        whole.advance()
    random = torch.get_rng_state()
    parted = trainer(data, tmp_path / "parted")
    parted.phase, parted.images = 1, 16
    for _ in range(3):
        parted.advance()
    parted.save()
    torch.rand(5)
    again = trainer(data, tmp_path / "parted", seed=8)
    assert again.load()
    for _ in range(5):
        again.advance()
    assert (again.phase, again.images, again.step) == (whole.phase, whole.images, whole.step)
    assert torch.equal(torch.get_rng_state(), random)
    for part in PARTS:
        assert_same(getattr(whole, part).state_dict(), getattr(again, part).state_dict(), part)


def assert_same(one: Any, other: Any, path: str) -> None:
    """Bit for bit, through dicts and lists."""
    if isinstance(one, Tensor):
        assert torch.equal(one, other), path
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for key, value in one.items():
            assert_same(value, other[key], f"{path}.{key}")
    elif isinstance(one, list):
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            assert_same(a, b, f"{path}.{i}")
    else:
        assert one == other, path


def test_training_goes_on_from_a_smaller_world_in_the_next_phase(data: PictureSet, tmp_path: Path) -> None:
    small = Generator(replace(TINY, size=16))
    one = trainer(data, tmp_path)
    one.start_from(small)
    assert one.phase == 2
    ws = small.mapping(torch.randn(1, 8))
    assert (one.generator.synthesis(ws, "none", 16) - small.synthesis(ws, "none")).abs().max() < 1e-6
    one.start_from(lively())
    assert one.phase == 2
    assert "whole" in one.advance()


def test_a_new_block_begins_as_the_picture_below_it_enlarged(data: PictureSet, tmp_path: Path) -> None:
    g = trainer(data, tmp_path).generator
    ws = g.mapping(torch.randn(1, 8))
    small, large = g.synthesis(ws, "none", 16), g.synthesis(ws, "none", 64)
    enlarged = torch.nn.functional.interpolate(small, scale_factor=4, mode="bilinear")
    inner = (slice(None), slice(None), slice(8, -8), slice(8, -8))
    assert (large[inner] - enlarged[inner]).abs().mean() < 0.1 * small.std()


def test_a_phase_ends_by_time_too() -> None:
    phase = Phase(8, 100, 4, 1.0, 0.1, seconds=10)
    assert phase.share(50, 1) == 0.5
    assert phase.share(0, 9) == 0.9
    assert phase.share(1, 20) == 1
    assert phase.rate_at(0) == 1 and phase.rate_at(1) == pytest.approx(0.1)


def test_judges_weigh_more_later(data: PictureSet, tmp_path: Path) -> None:
    at = trainer(data, tmp_path)
    at.phase, found = 2, list[JudgeWeights]()
    for at.images in (0, 18, 20, 48):
        found.append(at._judge_weights())
    assert (found[0], found[1], found[3]) == (PLAN.judges, PLAN.judges, PLAN.late)
    assert PLAN.judges.window_heads < found[2].window_heads < PLAN.late.window_heads


def test_pixels_weigh_less_later(data: PictureSet, tmp_path: Path) -> None:
    at = trainer(data, tmp_path)
    real, fake = torch.zeros(1, 3, 16, 28), torch.full((1, 3, 16, 28), 0.1)
    coarse = PLAN.coarse * 0.1
    found = list[float]()
    for at.phase, at.images in ((1, 31), (2, 0), (2, 48)):
        found.append(float(at._whole_loss(fake, real, None)) - coarse)
    assert found[0] == pytest.approx(found[1])
    assert found[2] / found[1] == pytest.approx(PLAN.late_pixel / PLAN.pixel)


def note_side(sides: set[int], _: nn.Module, args: tuple[Tensor, ...]) -> None:
    sides.add(args[0].shape[2])


def test_windows_are_judged_at_full_and_at_half_size_by_turns(data: PictureSet, tmp_path: Path) -> None:
    """Every four steps both discriminators of windows learn, each from pictures of its size and with a penalty."""
    at = trainer(data, tmp_path)
    at.phase, at.images = 2, 16
    seen: dict[str, set[int]] = {"full": set(), "small": set()}
    for name in seen:
        colour = at.judges.window.get_submodule(name).get_submodule("colour")
        colour.register_forward_pre_hook(partial(note_side, seen[name]))
    before = {k: v.clone() for k, v in at.judges.window.state_dict().items()}
    penalised = set[bool]()
    for _ in range(8):
        small = at._small_windows
        if "r1" in at.advance():
            penalised.add(small)
    assert seen == {"full": {WINDOW.seen}, "small": {WINDOW.seen // 2}}
    assert penalised == {False, True}
    learnt = {k for k, v in at.judges.window.state_dict().items() if not torch.equal(v, before[k])}
    assert {k.split(".")[0] + k.split(".")[1] for k in learnt} == {
        "fullheads",
        "fullcolour",
        "smallheads",
        "smallcolour",
    }


def test_fresh_discriminators_come_in_slowly_where_a_world_has_seen_pictures(data: PictureSet, tmp_path: Path) -> None:
    one = trainer(data, tmp_path)
    one.start_from(lively(), 24)
    assert (one.phase, one.images, one._said()) == (2, 24, 0.0)
    assert one._late() == 1.0
    one.advance()
    one.save()
    again = trainer(data, tmp_path)
    assert again.load()
    assert again._said() == pytest.approx(4 / 12)
    one.start_from(Generator(replace(TINY, size=16)), 24)
    assert (one.images, one.begun) == (0, 0)


def test_in_bfloat16_losses_and_weights_stay_float32(data: PictureSet, tmp_path: Path) -> None:
    torch.manual_seed(3)
    low = GeneratorTrainer(data, TINY, PLAN, tmp_path, bfloat16=True)
    exact = trainer(data, tmp_path)
    for one in (low, exact):
        one.phase, one.images = 2, 16
    torch.manual_seed(4)
    rough = low.advance()
    torch.manual_seed(4)
    fine = exact.advance()
    assert all(v.dtype == torch.float32 for v in rough.values())
    assert all(p.dtype == torch.float32 for p in (*low.generator.parameters(), *low.judges.parameters()))
    assert rough.keys() == fine.keys()
    differences = [abs(float(rough[k] - fine[k])) for k in fine]
    assert 0 < max(differences) < 0.05


@pytest.mark.parametrize("first", [True, False])
def test_training_goes_on_in_another_precision(data: PictureSet, tmp_path: Path, first: bool) -> None:
    """What Adam remembers lies in memory as the weights do, which fused Adam relies on."""
    torch.manual_seed(3)
    before = GeneratorTrainer(data, TINY, PLAN, tmp_path, bfloat16=first)
    before.phase, before.images = 2, 16
    for _ in range(3):
        before.advance()
    before.save()
    after = GeneratorTrainer(data, TINY, PLAN, tmp_path, bfloat16=not first)
    assert after.load()
    differing = 0
    for one, other in ((before.optimiser, after.optimiser), (before.optimiser_judges, after.optimiser_judges)):
        for p, q in zip(one.state, other.state, strict=True):
            for name in ("exp_avg", "exp_avg_sq"):
                assert torch.equal(one.state[p][name], other.state[q][name])
                assert other.state[q][name].stride() == q.stride()
            differing += p.stride() != q.stride()
    assert differing
    after.advance()


@pytest.mark.parametrize("low", [False, True])
def test_real_and_generated_pictures_are_seen_in_one_precision(data: PictureSet, tmp_path: Path, low: bool) -> None:
    """Discriminators could tell one precision from another."""
    at = GeneratorTrainer(data, TINY, PLAN, tmp_path, bfloat16=low)
    at.phase, index = 2, torch.arange(4)
    real = at.real_maps(index)
    with torch.no_grad():
        pictures = data.at(index, WINDOW.from_side)
        seen, exact = at._maps(pictures, PLAN.phases[2].features), at.backbone(pictures, PLAN.phases[2].features)
    for a, b, c in zip(real, seen, exact, strict=True):
        rounding = 1e-3 * float(b.abs().max())  # kept in half precision
        assert (a - b).abs().max() <= rounding
        assert ((b - c).abs().max() > rounding) == low
