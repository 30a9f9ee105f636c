"""Zones of a picture as the levels of lamps: averages, universes, rate, and what is wrong."""

import socket
from itertools import pairwise

import numpy as np
import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.plugins.registry import SINKS, make
from sonorama.plugin.dmx import sacn
from sonorama.plugin.dmx.zones import Zones, universes

from ..light_cases import own_address
from ..sinks import info, picture


@pytest.mark.parametrize("size", [(1280, 720), (64, 64), (37, 23), (5, 3)])
def test_each_zone_has_its_colour(size: tuple[int, int]) -> None:
    zones = Zones(4, 2)
    colours = np.random.default_rng(1).integers(0, 256, (2, 4, 3), np.uint8)
    x, y = (np.arange(n) * count // n for n, count in zip(size, (4, 2), strict=True))
    pixels = np.zeros((size[1], size[0], 4), np.uint8)
    pixels[..., :3] = colours[y][:, x]
    seen = np.frombuffer(zones.colours(pixels), np.uint8).reshape(2, 4, 3)
    if size[0] >= 37:
        assert abs(seen.astype(int) - colours).max() <= (0 if size[0] % 4 == 0 else 25)
    assert seen.shape == colours.shape


def test_a_zone_is_the_mean_of_its_pixels() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 4), np.uint8)
    seen = np.frombuffer(Zones(4, 4).colours(pixels), np.uint8).reshape(4, 4, 3)
    true = pixels[..., :3].reshape(4, 16, 4, 16, 3).mean((1, 3))
    assert abs(seen - true).max() <= 0.5


def test_lamps_lie_in_one_universe_whole() -> None:
    first, second = universes(bytes([7]) * 3 * 170, 6)
    assert len(first) == len(second) == 512
    assert first[:5] == bytes(5) and first[5:512] == bytes([7]) * 507 and second == bytes([7, 7, 7]) + bytes(509)


def test_not_more_often_than_the_rate() -> None:
    address = own_address()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as lamp:
        lamp.bind((address, sacn.PORT))
        lamp.setblocking(False)
        sink = make(SINKS, "sacn", f"to={address}&rate=20&zones=200x1&universe=5&priority=120")
        sink.open(info("night"))
        for tick in range(30):
            sink.send(picture(tick))
        sink.close()
        found = list[bytes]()
        with pytest.raises(BlockingIOError):
            while True:
                found.append(lamp.recv(2000))
    levels = [one for packet in found if (one := sacn.parse(packet)) is not None]
    sent, ended = [one for one in levels if not one.ended], [one for one in levels if one.ended]
    assert [one.universe for one in sent[:4]] == [5, 6, 5, 6] and 26 <= len(sent) <= 40, "15 times at 30 pictures"
    assert [one.universe for one in ended] == [5, 6] * 3, "the end is said three times"
    assert {(one.name, one.priority) for one in levels} == {("sonorama night", 120)}
    assert len({one.source for one in levels}) == 1
    sequences = [one.sequence for one in levels if one.universe == 5]
    assert all(b == a % 255 + 1 for a, b in pairwise(sequences) if a is not None)


def test_a_network_that_is_down_is_said_and_does_no_harm() -> None:
    sink = make(SINKS, "artnet", "to=255.255.255.255&to=127.0.0.1")
    sink.open(info("night"))
    assert sink.about == "4 zones to 255.255.255.255, 127.0.0.1, from universe 0 on"
    sink.send(picture(0))
    assert sink.about.endswith(": Permission denied"), "Art-Net 4 does not broadcast levels"
    sink.close()


@pytest.mark.parametrize(
    ("name", "argument", "message"),
    [
        ("artnet", "zones=0x4", "The sink artnet: zones=0x4 is no grid"),
        ("artnet", "zones=100x100", "The sink artnet: zones=100x100 is no grid"),
        ("artnet", "rate=60", "rate=60 is no rate"),
        ("sacn", "universe=63999&zones=171x1", "universe=63999 is too high for so many zones"),
        ("sacn", "priority=201", "priority=201 is no priority"),
        ("sacn", "to=multicast", "to=multicast is on no network"),
        ("artnet", "priority=100", "The sink artnet knows no priority"),
    ],
)
def test_arguments(name: str, argument: str, message: str) -> None:
    with pytest.raises(SonoramaError, match=message):
        make(SINKS, name, argument)


def test_networks_that_are_not_there() -> None:
    with pytest.raises(SonoramaError, match="No machine called"):
        make(SINKS, "artnet", "to=nowhere.invalid").open(info("night"))
    with pytest.raises(SonoramaError, match=r"192\.0\.2\.77 is no network of this machine"):
        make(SINKS, "sacn", "to=multicast&host=192.0.2.77").open(info("night"))
