"""Displays by name and serial number, so that a window finds its own again after a cable was pulled."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeVar

from sonorama.engine.whole_numbers import whole_number


class Screen(Protocol):
    """What a QScreen says about itself."""

    def name(self) -> str:
        """The connector, such as `HDMI-1`."""
        ...

    def manufacturer(self) -> str:
        """Of the display; empty if unknown."""
        ...

    def model(self) -> str:
        """Of the display; empty if unknown."""
        ...

    def serialNumber(self) -> str:
        """Of the display; empty if unknown."""
        ...


S = TypeVar("S", bound=Screen)


class DisplayId(NamedTuple):
    """What a display is known by.

    Attributes:
        name: of the connector.
        serial: manufacturer, model and serial number; empty without a serial number.

    """

    name: str
    serial: str

    @property
    def text(self) -> str:
        """As the parameter `/window/display` has it: `HDMI-1 [Dell U2415 7MT0]`."""
        return f"{self.name} [{self.serial}]" if self.serial else self.name


def display_id(screen: Screen) -> DisplayId:
    """What a screen is known by."""
    number = screen.serialNumber().strip()
    parts = (screen.manufacturer().strip(), screen.model().strip(), number)
    return DisplayId(screen.name(), " ".join(filter(None, parts)) if number else "")


def find_display(screens: Sequence[S], wanted: str) -> S | None:
    """The screen meant by `HDMI-1 [Dell U2415 7MT0]`, a name, a serial number, or a number from 0; None if it is not
    connected. A display with that serial number is found at another connector, too; another display at that connector
    is not it.
    """
    wanted = wanted.strip()
    match = re.fullmatch(r"(.*?)(?: \[(.*)\])?", wanted)
    name, serial = (match[1], match[2] or "") if match else (wanted, "")
    known = [(screen, display_id(screen)) for screen in screens]
    for same in (
        lambda one: one == (name, serial),
        lambda one: serial != "" and one.serial == serial,
        lambda one: one.name == name and not (serial and one.serial),
        lambda one: one.serial != "" and wanted in (one.serial, one.serial.split()[-1]),
    ):
        if found := [screen for screen, one in known if same(one)]:
            return found[0]
    number = whole_number(wanted, 0, len(known))
    return screens[number] if number is not None and number < len(known) else None
