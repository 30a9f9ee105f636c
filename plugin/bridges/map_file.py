"""Files that say which control plays which parameter: JSON of a known format, of the user's or of sonorama's own."""

from __future__ import annotations

from codecs import BOM_UTF8
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from sonorama.engine.errors import InputError

LARGEST = 1 << 20


class _Page(Protocol):
    format: str


Page = TypeVar("Page", bound=_Page)


def read_map(path: str, own: Traversable, page_type: type[Page], form: str, noun: str) -> Page:
    """Read a file.

    Args:
        path: of the user's file; empty: `own`.
        own: the file that comes with sonorama.
        page_type: a msgspec.Struct with a `format`.
        form: what `format` must be.
        noun: what the file is, for messages.

    Raises:
        InputError: it cannot be read, or is none of these.

    """
    try:
        with Path(path).open("rb") if path else own.open("rb") as file:
            said = file.read(LARGEST).removeprefix(BOM_UTF8)  # which editors of Windows write
        page = msgspec.json.decode(said, type=page_type)
    except (OSError, msgspec.DecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path} is no {noun}: {reason}", "See docs/control.md for an example.") from error
    if page.format != form:
        raise InputError(f"{path}: its format is {page.format[:40]!r}", f'A {noun} has "format": "{form}".')
    return page
