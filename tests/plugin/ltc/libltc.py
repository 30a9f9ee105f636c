"""Makes timecode by libltc, the library of ltcgen and of most programs that write it, through its C interface."""

import ctypes
from fractions import Fraction
from typing import Any

import numpy as np

from sonorama.engine.units import Samples

STANDARDS = {Fraction(24): 3, Fraction(25): 1, Fraction(30): 2, Fraction(30_000, 1001): 0}
"""Numbers of the television standards. At 29.97 frames a second libltc counts drop-frame."""


class _Label(ctypes.Structure):
    _fields_ = (
        ("timezone", ctypes.c_char * 6),
        *((name, ctypes.c_ubyte) for name in ("years", "months", "days", "hours", "mins", "secs", "frame")),
    )


def _library() -> Any:
    try:
        library = ctypes.CDLL("libltc.so.11")
    except OSError as error:
        raise AssertionError("libltc is missing: apt-get install libltc11") from error
    library.ltc_encoder_create.restype = ctypes.c_void_p
    library.ltc_encoder_create.argtypes = (ctypes.c_double, ctypes.c_double, ctypes.c_int, ctypes.c_int)
    library.ltc_encoder_get_buffersize.restype = ctypes.c_size_t
    for name in ("get_buffersize", "encode_frame", "inc_timecode", "free"):
        getattr(library, f"ltc_encoder_{name}").argtypes = (ctypes.c_void_p,)
    for name in ("set_timecode", "get_buffer"):
        getattr(library, f"ltc_encoder_{name}").argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    return library


def timecode(rate: float, fps: Fraction, start: tuple[int, int, int, int], frames: int) -> Samples:
    """So many frames from a label on (hours, minutes, seconds, frames), float32 [n]. A higher rate is a slower tape."""
    library = _library()
    encoder = library.ltc_encoder_create(rate, float(fps), STANDARDS[fps], 0)
    assert encoder
    label = _Label(b"+0000", 26, 1, 1, *start)
    library.ltc_encoder_set_timecode(encoder, ctypes.byref(label))
    buffer = (ctypes.c_ubyte * library.ltc_encoder_get_buffersize(encoder))()
    parts: list[bytes] = []
    for _ in range(frames):
        library.ltc_encoder_encode_frame(encoder)
        count = library.ltc_encoder_get_buffer(encoder, buffer)
        parts.append(bytes(buffer[:count]))
        library.ltc_encoder_inc_timecode(encoder)
    library.ltc_encoder_free(encoder)
    return ((np.frombuffer(b"".join(parts), np.uint8).astype(np.float32) - 128) / 128).astype(np.float32)
