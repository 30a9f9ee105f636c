"""A restricted unpickler for StyleGAN networks: what a pickle names is looked up in a fixed table and never imported.

It is meant for the child process of `reading_child.py`, whose memory and time are limited.
"""

from __future__ import annotations

import pickle
from typing import IO, Any, NoReturn

from sonorama.engine.errors import WorldError, one_line

from .stand_ins import KNOWN

_LONGEST_NAME = 80


class Unpickler(pickle.Unpickler):
    """Reads a pickle of `KNOWN` globals. name: of the file, for messages."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        super().__init__(file)
        self._name = name

    def find_class(self, module_name: str, global_name: str, /) -> type:
        """The stand-in of a global.

        Raises:
            WorldError: it is none of `KNOWN`.

        """
        known = KNOWN.get((module_name, global_name))
        if known is None:
            _refuse(self._name, module_name, global_name)
        return known

    def persistent_load(self, pid: Any, /) -> NoReturn:
        """A reference to something outside the file: there is none in these files."""
        raise pickle.UnpicklingError("it refers to something outside")


def _refuse(file: str, module: str, name: str) -> NoReturn:
    asked = one_line(f"{module}.{name}")[:_LONGEST_NAME]
    root = module.partition(".")[0]
    if module.startswith("dnnlib.tflib") or root == "tfutil":
        raise WorldError(
            f"{file} is a network of TensorFlow",
            f"Convert it: `python legacy.py --source={file} --dest=NEW.pkl` of stylegan2-ada-pytorch; import NEW.pkl.",
        )
    if root == "R3GAN":
        raise r3gan(file)
    raise WorldError(
        f"{file} names {asked}, which no StyleGAN network needs",
        "Nothing in it was run. Get the network from a source that you trust.",
    )


def r3gan(file: str) -> WorldError:
    """The refusal of an R3GAN network."""
    return WorldError(f"{file} is an R3GAN network, which sonorama does not play", "Give a StyleGAN2 network.")
