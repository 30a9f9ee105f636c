"""Units and array types that every part of sonorama shares; each is defined here only.

The array types are made when one is first imported: they need numpy, and a command that only prints its help does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

SAMPLE_RATE: Final = 44_100
"""Hz, of all sound inside the program; sources and files of other rates are converted."""

CHANNELS: Final = 2
"""Of the sample ring and of a take's sound: left and right."""

EXACT: Final = "exact"
"""The precision of pictures in films, float32; every other one bears the name of its number format, such as bf16."""

EARLY_EXIT: Final = "early exit"
"""What follows a precision, after a comma, where the last block of the generator is left out."""

HALF_RATE: Final = "half rate"
"""The same where every second frame is not painted; only for people, since no picture is another one by it."""

LEVELS: Final = ("coarse", "mid", "fine")
"""Groups of a world's style codes, in the order of the synthesis network's layers."""

AXES: Final = 8
"""Principal axes of a world's seeds that are played."""

DEFAULT_WORLD: Final = "meridian"
"""Name of the world that films and shows play unless told otherwise."""

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array: TypeAlias = npt.NDArray[np.float32]
    """Float32 of any shape; what networks take and give."""

    Float64Array: TypeAlias = npt.NDArray[np.float64]
    """Float64 of any shape, where audio features need its precision."""

    Samples: TypeAlias = npt.NDArray[np.float32]
    """Sound, float32 [n] or [channels,n], full scale -1 to 1."""

    Pixels: TypeAlias = npt.NDArray[np.uint8]
    """A picture, uint8 [H,W,4] RGBA, row 0 on top, sRGB."""

_NUMBERS = {"Array": "float32", "Float64Array": "float64", "Samples": "float32", "Pixels": "uint8"}


def __getattr__(name: str) -> Any:
    """The array types (PEP 562)."""
    if name not in _NUMBERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import numpy as np
    import numpy.typing as npt

    return npt.NDArray[getattr(np, _NUMBERS[name])]
