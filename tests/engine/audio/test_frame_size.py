"""Frame sizes against worked examples of the standards."""

import pytest

from sonorama.engine.audio.frame_size import frame_bytes


@pytest.mark.parametrize(
    ("codec", "head", "size"),
    [
        ("mp3float", "fffb9000", 417),  # MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 144 * 128000 // 44100
        ("mp3float", "fffb9200", 418),  # the same, padded
        ("mp3", "fff38000", 208),  # MPEG-2 layer III, 64 kbit/s, 22.05 kHz: 72 * 64000 // 22050
        ("mp3", "ffe38000", 417),  # MPEG-2.5, 64 kbit/s, 11.025 kHz
        ("mp2", "fffd9000", 522),  # MPEG-1 layer II, 160 kbit/s, 44.1 kHz
        ("mp1", "ffff8400", 256),  # MPEG-1 layer I, 256 kbit/s, 48 kHz: 4 * (12 * 256000 // 48000)
        ("mp3", "fffb0000", None),  # free format: does not say
        ("mp3", "fffbf000", None),
        ("mp3", "54414700", None),  # an ID3 tag
        ("aac", "fff15080021ffc", 16),
        ("aac", "de02004c617663", None),  # without ADTS headers
        ("ac3", "0b7700001440", 768),  # 192 kbit/s, 48 kHz
        ("ac3", "0b7700005440", 834),  # 192 kbit/s, 44.1 kHz
        ("ac3", "0b7700005540", 836),  # and its longer twin
        ("ac3", "0b770000ff40", None),
        ("eac3", "0b7700bf3f80", 384),
        ("flac", "fff8c9180000", None),
        ("mp3", "ff", None),
    ],
)
def test_frame_bytes(codec: str, head: str, size: int | None) -> None:
    assert frame_bytes(codec, bytes.fromhex(head).ljust(8 if len(head) > 4 else 0, b"\0")) == size
