"""Size in bytes of a compressed audio frame, read from the frame's own header."""

from __future__ import annotations

_KBPS = {  # (MPEG-1?, layer) -> kbit/s of bit rate indices 1 to 14; ISO/IEC 11172-3 and 13818-3
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # by the version bits
_AC3_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_AC3_HZ = (48000, 44100, 32000)


def frame_bytes(codec: str, head: bytes) -> int | None:
    """Size in bytes of the frame that begins with `head`; None if it is not a frame header or does not give the size.

    Args:
        codec: FFmpeg's name of the codec; mp1, mp2, mp3, aac (with ADTS headers), ac3 and eac3 are supported.
        head: the first 8 bytes of the frame.

    """
    if len(head) < 7:
        return None
    if codec.startswith(("mp1", "mp2", "mp3")):
        return _mpeg(int.from_bytes(head[:4], "big"))
    if codec.startswith("aac"):
        return (int.from_bytes(head[3:6], "big") >> 5) & 0x1FFF if head[0] == 0xFF and head[1] & 0xF6 == 0xF0 else None
    if codec in ("ac3", "eac3") and head[:2] == b"\x0b\x77":
        return _ac3(head[4]) if head[5] >> 3 <= 10 else 2 * ((int.from_bytes(head[2:4], "big") & 0x7FF) + 1)
    return None


def _mpeg(head: int) -> int | None:
    version, layer, rate, hz = head >> 19 & 3, 4 - (head >> 17 & 3), head >> 12 & 15, head >> 10 & 3
    if head >> 21 != 0x7FF or version == 1 or layer == 4 or rate in (0, 15) or hz == 3:
        return None
    bits, padding = 1000 * _KBPS[version == 3, layer][rate - 1], head >> 9 & 1
    if layer == 1:
        return (12 * bits // _HZ[version][hz] + padding) * 4
    return (144 if layer == 2 or version == 3 else 72) * bits // _HZ[version][hz] + padding


def _ac3(code: int) -> int | None:
    hz, size = code >> 6, code & 63
    if hz == 3 or size >= 2 * len(_AC3_KBPS):
        return None
    words = 96000 * _AC3_KBPS[size // 2] // _AC3_HZ[hz]
    return 2 * (words + (size & 1 if hz == 1 else 0))
