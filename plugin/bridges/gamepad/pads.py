"""Gamepads through SDL 2: opened when they are plugged in, closed when they go. One thread makes all calls."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sonorama.engine.errors import SonoramaError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says where its library was found
    import sdl2 as sdl

STICKS = (("leftx", "lefty"), ("rightx", "righty"))
_LARGEST = 32_767
_HINTS = {
    b"SDL_NO_SIGNAL_HANDLERS": b"1",  # Ctrl+C ends the show, not SDL
    b"SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS": b"1",  # there is no window
    b"SDL_JOYSTICK_THREAD": b"1",  # Windows: there is no loop of messages
}


@dataclass(frozen=True, slots=True)
class Moved:
    """A movement.

    Attributes:
        pad: number of the gamepad; another one each time that it is plugged in.
        control: SDL's name of a stick's axis, trigger or button, such as `leftx`, `righttrigger` or `a`.
        position: -1 to 1 of a stick, outside the dead zone; 0 to 1 of a trigger or button.

    """

    pad: int
    control: str
    position: float


class Pads:
    """Those that are plugged in.

    Args:
        wanted: parts of the names of gamepads, in any case; none: all of them.
        dead: radius of the sticks' dead zone, and the beginning of the triggers, 0 to 0.9.

    Raises:
        SonoramaError: SDL does not start.

    """

    def __init__(self, wanted: Sequence[str], dead: float) -> None:
        self._wanted, self._dead = [part.lower() for part in wanted], dead
        self._open: dict[int, _Pad] = {}
        self._other: dict[int, str] = {}
        for hint, value in _HINTS.items():
            sdl.SDL_SetHint(hint, value)
        if sdl.SDL_InitSubSystem(sdl.SDL_INIT_GAMECONTROLLER):
            message = f"SDL does not find gamepads here: {_text(sdl.SDL_GetError())}"
            raise SonoramaError(message, "Leave out --bridge gamepad.")
        self._event = sdl.SDL_Event()

    @property
    def names(self) -> list[str]:
        """Gamepads that are open."""
        return [pad.name for pad in list(self._open.values())]

    @property
    def unknown(self) -> list[str]:
        """Devices with sticks or buttons whose layout is not known."""
        return list(self._other.values())

    def poll(self) -> Iterator[Moved]:
        """What was moved since the last call; a gamepad that is unplugged lets go of everything."""
        while sdl.SDL_PollEvent(self._event):
            yield from self._take(self._event)

    def _take(self, event: Any) -> Iterator[Moved]:
        match event.type:
            case sdl.SDL_JOYDEVICEADDED:
                self._come(event.jdevice.which)
            case sdl.SDL_JOYDEVICEREMOVED:
                self._other.pop(event.jdevice.which, None)
                pad = self._open.pop(event.jdevice.which, None)
                if pad is not None:
                    yield from pad.let_go()
                    sdl.SDL_GameControllerClose(pad.handle)
            case sdl.SDL_CONTROLLERAXISMOTION:
                if (pad := self._open.get(event.caxis.which)) is not None:
                    name = _text(sdl.SDL_GameControllerGetStringForAxis(event.caxis.axis))
                    yield from pad.axis(name, event.caxis.value / _LARGEST, self._dead)
            case sdl.SDL_CONTROLLERBUTTONDOWN | sdl.SDL_CONTROLLERBUTTONUP:
                if (pad := self._open.get(event.cbutton.which)) is not None:
                    name = _text(sdl.SDL_GameControllerGetStringForButton(event.cbutton.button))
                    yield from pad.set(name, float(event.cbutton.state))

    def _come(self, index: int) -> None:
        number, name = sdl.SDL_JoystickGetDeviceInstanceID(index), _text(sdl.SDL_JoystickNameForIndex(index))
        if number in self._open or (self._wanted and not any(part in name.lower() for part in self._wanted)):
            return
        handle = sdl.SDL_GameControllerOpen(index) if sdl.SDL_IsGameController(index) else None
        if handle:
            self._open[number] = _Pad(number, name, handle)
        else:
            self._other[number] = name

    def close(self) -> None:
        """Close all; SDL goes on for others in this process."""
        for pad in self._open.values():
            sdl.SDL_GameControllerClose(pad.handle)
        self._open.clear()
        sdl.SDL_QuitSubSystem(sdl.SDL_INIT_GAMECONTROLLER)


class _Pad:
    """One of them, and where its controls stand."""

    def __init__(self, number: int, name: str, handle: Any) -> None:
        self.number, self.name, self.handle = number, name, handle
        self._raw: dict[str, float] = {}
        self._at: dict[str, float] = {}

    def axis(self, name: str, raw: float, dead: float) -> Iterator[Moved]:
        """A stick's axis moves the other one, too: the dead zone is a circle, so that a slow circle stays one."""
        self._raw[name] = max(-1.0, raw)
        stick = next((both for both in STICKS if name in both), None)
        if stick is None:
            yield from self.set(name, max(0.0, raw - dead) / (1 - dead))
            return
        x, y = (self._raw.get(one, 0.0) for one in stick)
        far = math.hypot(x, y)
        factor = min(1.0, (far - dead) / (1 - dead)) / far if far > dead else 0.0
        for one, value in zip(stick, (x, y), strict=True):
            yield from self.set(one, value * factor)

    def set(self, name: str, position: float) -> Iterator[Moved]:
        """The movement, if it is one."""
        if position != self._at.get(name, 0.0):
            self._at[name] = position
            yield Moved(self.number, name, position)

    def let_go(self) -> Iterator[Moved]:
        """Everything back to rest."""
        for name in self._at:
            yield from self.set(name, 0.0)


def known_controls() -> list[str]:
    """SDL's names of all axes and buttons."""
    found = list[str]()
    ask: Callable[[int], bytes | None]
    for ask, count in (
        (sdl.SDL_GameControllerGetStringForAxis, sdl.SDL_CONTROLLER_AXIS_MAX),
        (sdl.SDL_GameControllerGetStringForButton, sdl.SDL_CONTROLLER_BUTTON_MAX),
    ):
        found += [_text(ask(number)) for number in range(count)]
    return found


def _text(said: bytes | None) -> str:
    with suppress(AttributeError):
        return said.decode("utf-8", "replace")  # type: ignore[union-attr]
    return ""
