"""Sizes that the chunks of a sound file state."""

import io
import struct

import pytest

from sonorama.engine.audio.riff import data_span

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00" + bytes(16) + b"data\x08\x00\x00\x00" + bytes(8)
RF64 = b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack("<IQQQI", 28, 60, 8, 2, 0) + b"data\xff\xff\xff\xff" + bytes(8)


def test_the_data_chunk_is_found() -> None:
    assert data_span(io.BytesIO(WAV), len(WAV), b"data", 12, "<I", False) == (44, 52)
    assert data_span(io.BytesIO(RF64), len(RF64), b"data", 12, "<I", False) == (56, 64)


@pytest.mark.parametrize("whole", [WAV, RF64])
def test_a_file_that_becomes_shorter_while_it_is_read_states_nothing(whole: bytes) -> None:
    """Another program may cut it at any time after its size was taken."""
    for left in range(len(whole) - 16):
        assert data_span(io.BytesIO(whole[:left]), len(whole), b"data", 12, "<I", False) == (0, 0)
