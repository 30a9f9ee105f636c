"""Units and array types that every part of sonorama shares; each is defined here only."""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

SAMPLE_RATE: Final = 44_100
"""Hz, of all sound inside the program; sources and files of other rates are converted."""

CHANNELS: Final = 2
"""Of the sample ring and of a take's sound: left and right."""

LEVELS: Final = ("coarse", "mid", "fine")
"""Groups of a world's style codes, in the order of the synthesis network's layers."""

Array: TypeAlias = npt.NDArray[np.float32]
"""Float32 of any shape; what networks take and give."""

Float64Array: TypeAlias = npt.NDArray[np.float64]
"""Float64 of any shape, where audio features need its precision."""

Samples: TypeAlias = npt.NDArray[np.float32]
"""Sound, float32 [n] or [channels,n], full scale -1 to 1."""

Pixels: TypeAlias = npt.NDArray[np.uint8]
"""A picture, uint8 [H,W,4] RGBA, row 0 on top, sRGB."""
