"""StyleGAN3's synthesis is that of its equations, moves as a whole, and is kept in world files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from sonorama.engine.errors import WorldError
from sonorama.engine.model.build import build_networks
from sonorama.engine.model.card import card_from_json
from sonorama.engine.model.generator import Generator
from sonorama.engine.model.lowpass import bessel_j1
from sonorama.engine.model.stylegan3 import FilteredConv
from sonorama.engine.model.stylegan3_config import LEVEL_CUTS, StyleGAN3Config, check_stylegan3
from sonorama.engine.model.world_file import load_world

from ...worlds import with_card, write_world
from .equivariance import eq_t
from .stylegan3_networks import untrained
from .stylegan3_reference import Reference, disc_filter, sinc_filter

T, R = StyleGAN3Config(32, 16, 24, 2, 512, 12), StyleGAN3Config(32, 16, 24, 2, 512, 12, kernel=1, radial=True)
T_128, R_64 = replace(T, size=128), replace(R, size=64)
T_256 = StyleGAN3Config(256, 16, 24, 2, 1024, 16)
R_256 = StyleGAN3Config(256, 16, 24, 2, 2048, 32, kernel=1, radial=True)


def placed(ws: Tensor, x: float, y: float, turn: float = 0.0) -> Tensor:
    """Style codes [B,L,W] with a placement."""
    row = torch.zeros(len(ws), 1, ws.shape[2])
    row[:, 0, :3] = torch.tensor([x, y, turn])
    return torch.cat([ws, row], 1)


def codes(generator: Generator, count: int, seed: int = 1) -> Tensor:
    z = torch.randn(count, generator.config.z_dim, generator=torch.Generator().manual_seed(seed))
    return generator.mapping(z, 0.7)


@pytest.mark.parametrize("config", [T, R])
def test_it_paints_what_the_equations_say(config: StyleGAN3Config) -> None:
    generator = untrained(config)
    own = {k.removeprefix("synthesis."): v.numpy() for k, v in generator.state_dict().items()}
    reference = Reference(own, config.size, config.channel_base, config.channel_max, config.kernel, config.radial)
    ws = codes(generator, 1)
    for shift, turn in (((0.0, 0.0), 0.0), ((0.1, -0.07), 33.0)):
        expected = reference(ws[0].double().numpy(), shift, turn)
        painted = generator.synthesis(placed(ws, *shift, turn))[0].numpy()
        assert expected.std() > 0.1
        assert np.abs(painted - expected).max() < 2e-5 * np.abs(expected).max()
    assert torch.equal(generator.synthesis(ws), generator.synthesis(placed(ws, 0, 0)))


def test_layers_have_the_published_sizes() -> None:
    names = StyleGAN3Config(1024).names
    assert names[0], names[-4:] == ("L0_36_512", ("L11_1044_51", "L12_1044_32", "L13_1024_32", "L14_1024_3"))
    full = StyleGAN3Config(512, channel_base=65536, channel_max=1024, kernel=1, radial=True)
    assert full.names[5::3] == ("L5_84_1024", "L8_276_645", "L11_532_192", "L14_512_3")
    assert [layer.critical for layer in full.layers] == [False] * 12 + [True] * 3
    assert all(config.num_ws == 16 for config in (T, R, full))


@pytest.mark.parametrize("config", [T, R, T_256])
def test_filters_are_those_of_the_ideal_bands(config: StyleGAN3Config) -> None:
    with torch.random.fork_rng():
        synthesis = Generator(config).synthesis
    for name, layer in zip(config.names[:-1], config.layers[:-1], strict=True):
        module = synthesis.get_submodule(name)
        assert isinstance(module, FilteredConv)
        rise = sinc_filter(layer.up_taps, layer.in_cutoff, layer.in_half_width, layer.rate)
        assert np.abs(module.up_kernel.numpy() / layer.up - rise).max() < 1e-7
        design = disc_filter if config.radial and not layer.critical else sinc_filter
        fall = design(layer.down_taps, layer.out_cutoff, layer.out_half_width, layer.rate)
        assert np.abs(module.down_kernel.numpy() - fall).max() < 1e-7


def test_bessel_function() -> None:
    # From tables: J_1 at 0, 1, 2, 10, its first zero, and 100.
    x = np.array([0.0, 1.0, 2.0, 10.0, 3.831705970207512, 100.0])
    known = [0.0, 0.4400505857449335, 0.5767248077568734, 0.04347274616886144, 0.0, -0.07714535201411216]
    assert np.abs(bessel_j1(x) - known).max() < 1e-14


def measured(config: StyleGAN3Config, seeds: int, moves: int) -> tuple[float, float]:
    """EQ-T for whole and for parts of pixels, dB."""
    generator = untrained(config)
    ws = codes(generator, seeds)
    whole, parts = (
        eq_t(lambda ws, t: generator.synthesis(placed(ws, *t)), ws, moves, fraction) for fraction in (False, True)
    )
    return whole, parts


@pytest.mark.parametrize("config", [T_128, R_64])
def test_the_picture_moves_as_a_whole(config: StyleGAN3Config) -> None:
    """The definition of EQ-T, and what an untrained network reaches: docs/models.md."""
    assert min(measured(config, 1, 1)) >= 45


@pytest.mark.soak
@pytest.mark.parametrize("config", [T_256, R_256])
def test_eq_t_over_some_seeds(config: StyleGAN3Config) -> None:
    whole, parts = measured(config, 4, 2)
    print(f"EQ-T {config.size} px, {'R' if config.radial else 'T'}: {whole:.1f} dB, by parts of pixels {parts:.1f} dB")
    assert min(whole, parts) >= 45


def test_a_turned_picture_is_turned() -> None:
    """A quarter turn, clockwise, which needs no filter."""
    generator = untrained(R)
    ws = codes(generator, 1)
    still, turned = generator.synthesis(ws)[0], generator.synthesis(placed(ws, 0, 0, 90))[0]
    error = (turned - still.rot90(-1, (1, 2))).square().mean().sqrt()
    assert error < 1e-4 * still.std()  # its filters are the same in all four directions
    assert (turned - still.rot90(1, (1, 2))).square().mean().sqrt() > 0.3 * still.std()


def test_a_world_keeps_it(tmp_path: Path) -> None:
    card = write_world(tmp_path / "a.safetensors", generator=R, cuts=LEVEL_CUTS)
    assert card.generator == R
    assert (card.width, card.height, card.num_ws, card.painted_rows) == (32, 32, 16, 17)
    assert [port.shape for port in card.ports() if port.network == "synthesis"] == [(17, 24), (3, 32, 32)]
    assert card_from_json(json.loads(json.dumps(card.to_json()))).generator == R
    networks = build_networks(load_world(tmp_path / "a.safetensors"))
    picture = networks.play()(torch.zeros(1, 17, 24))
    assert picture.shape == (1, 3, 32, 32)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "stylegan9"}, "its generator is of the kind stylegan9"),
        ({"kernel": 2}, "the side 2, not 1 or 3"),
        ({"radial": 1}, "radial is 1, not true or false"),
        ({"num_critical": 29}, "num_critical 29 is not below num_layers 14"),
        ({"first_cutoff": 8.0}, "do not rise"),
        ({"size": 48}, "size 48 is no power of two"),
        ({"channel_base": 8}, "leaves no channels"),
        ({"num_layers": 12}, "has no others"),
        ({"margin": 10**9}, "margin is 1000000000"),
    ],
)
def test_a_wrong_card_is_refused(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    write_world(tmp_path / "a.safetensors", generator=R, cuts=LEVEL_CUTS)
    with_card(tmp_path / "a.safetensors", tmp_path / "b.safetensors", lambda card: card["generator"].update(change))
    with pytest.raises(WorldError, match=reason):
        load_world(tmp_path / "b.safetensors")


def test_odd_rates_are_refused() -> None:
    with pytest.raises(ValueError, match="no transition band"):
        check_stylegan3(StyleGAN3Config(64, last_stopband=1.0))
