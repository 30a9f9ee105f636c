"""Art-Net and sACN as bytes, against what the specifications lay down; hostile datagrams."""

import random
import uuid

import pytest

from sonorama.plugin.dmx import artnet, sacn
from sonorama.plugin.dmx.levels import NotDmx

CID = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")


def test_an_artdmx_byte_by_byte() -> None:
    packet = artnet.pack_levels(0x1234, 7, bytes([1, 2, 3, 4]))
    assert packet == b"Art-Net\0" + bytes([0x00, 0x50, 0, 14, 7, 0, 0x34, 0x12, 0, 4, 1, 2, 3, 4])
    levels = artnet.parse(packet, "10.0.0.1")
    assert levels is not None
    assert (levels.universe, levels.sequence, levels.values) == (0x1234, 7, b"\x01\x02\x03\x04")
    assert (levels.source, levels.name) == ("10.0.0.1", "10.0.0.1")


def test_an_artnet_sender_that_does_not_count() -> None:
    levels = artnet.parse(artnet.pack_levels(0, 0, bytes(2)), "")
    assert levels is not None and levels.sequence is None


def test_the_answer_to_a_poll() -> None:
    assert artnet.is_poll(b"Art-Net\0\0\x20\0\x0e\2\0") and not artnet.is_poll(artnet.pack_levels(0, 0, bytes(2)))
    reply = artnet.pack_poll_reply("10.9.0.2", 0x1234, "náme" * 40)
    assert len(reply) == 239 and reply[:16] == b"Art-Net\0\0\x21" + bytes([10, 9, 0, 2]) + b"\x36\x19"
    assert (reply[18], reply[19], reply[190]) == (0x12, 0x3, 0x4), "net, sub-net and universe"
    assert reply[26:35] == b"sonorama\0" and reply[44:54] == b"sonorama n" and reply[107] == 0
    assert (reply[173], reply[174], reply[182]) == (1, 0x80, 0x80), "one port, which puts DMX out"
    assert reply[207:211] == bytes([10, 9, 0, 2]) and reply[200] == 0, "a node"
    assert artnet.parse(reply, "") is None


def test_an_sacn_packet_byte_by_byte() -> None:
    packet = sacn.pack_levels(0x1234, 9, bytes(range(256)) * 2, CID, "sonorama night", 150)
    assert len(packet) == 638
    assert packet[:22] == b"\0\x10\0\0ASC-E1.17\0\0\0\x72\x6e\0\0\0\x04" and packet[22:38] == CID.bytes
    assert packet[38:44] == b"\x72\x58\0\0\0\x02" and packet[44:59] == b"sonorama night\0"
    assert packet[108:115] == bytes([150, 0, 0, 9, 0, 0x12, 0x34])
    assert packet[115:126] == b"\x72\x0b\x02\xa1\0\0\0\x01\x02\x01\0"
    levels = sacn.parse(packet)
    assert levels is not None and levels.values == bytes(range(256)) * 2
    assert (levels.universe, levels.priority, levels.name, levels.ended) == (0x1234, 150, "sonorama night", False)
    ended = sacn.parse(sacn.pack_levels(1, 0, bytes(512), CID, "é" * 40, 100, ended=True))
    assert ended is not None and ended.ended and ended.name == "é" * 31
    assert sacn.group(0x1234) == "239.255.18.52"


@pytest.mark.parametrize(("at", "value"), [(112, 0x80), (125, 0xDD), (21, 8), (43, 1)])
def test_previews_other_start_codes_and_other_packets_are_left_out(at: int, value: int) -> None:
    packet = bytearray(sacn.pack_levels(1, 0, bytes(512), CID, "x", 100))
    packet[at] = value
    assert sacn.parse(bytes(packet)) is None


def test_whatever_comes_is_levels_nothing_or_refused() -> None:
    dice = random.Random(1)
    good = [artnet.pack_levels(1, 1, bytes(512)), sacn.pack_levels(1, 1, bytes(512), CID, "x", 100)]
    for number in range(6_000):
        datagram = bytearray(good[number % 2][: dice.randrange(640)])
        for _ in range(dice.randrange(4)):
            if datagram:
                datagram[dice.randrange(min(len(datagram), 130))] = dice.randrange(256)
        for parse in (sacn.parse, lambda one: artnet.parse(one, "")):
            try:
                levels = parse(bytes(datagram))
            except NotDmx:
                continue
            assert levels is None or len(levels.values) <= 512
