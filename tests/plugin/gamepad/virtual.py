"""A gamepad of SDL's own virtual driver: what it sends goes the way of a real one through SDL."""

import time
from collections.abc import Callable
from typing import Any

from sonorama.plugin.bridges.gamepad.pads import sdl

from ...speed import slowness

PATIENCE_S = 20 * slowness()
AXES = ["leftx", "lefty", "rightx", "righty", "lefttrigger", "righttrigger"]
BUTTONS = [
    "a", "b", "x", "y", "back", "guide", "start", "leftstick", "rightstick", "leftshoulder", "rightshoulder",
    "dpup", "dpdown", "dpleft", "dpright",
]  # fmt: skip


def until(true: Callable[[], object], what: str = "") -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.005)


class VirtualPad:
    """Plugged in where it is made. SDL must have been started, as by a bridge. is_known: SDL knows its layout."""

    def __init__(self, name: str = "Test Pad", is_known: bool = True) -> None:
        described = sdl.SDL_VirtualJoystickDesc()
        described.version, described.name, described.vendor_id = 1, name.encode(), 0x1234
        described.type = sdl.SDL_JOYSTICK_TYPE_GAMECONTROLLER if is_known else sdl.SDL_JOYSTICK_TYPE_THROTTLE
        described.naxes, described.nbuttons = len(AXES), len(BUTTONS)
        self._described = described  # SDL keeps the name's address
        index = sdl.SDL_JoystickAttachVirtualEx(described)
        assert index >= 0, sdl.SDL_GetError()
        self._joystick: Any = sdl.SDL_JoystickOpen(index)
        self._number = sdl.SDL_JoystickInstanceID(self._joystick)
        for trigger in AXES[4:]:
            self.tilt(trigger, -1.0)

    def tilt(self, axis: str, position: float) -> None:
        """position: -1 to 1, also of a trigger."""
        number, raw = AXES.index(axis), round(position * 32_767)
        assert sdl.SDL_JoystickSetVirtualAxis(self._joystick, number, raw) == 0
        until(lambda: sdl.SDL_JoystickGetAxis(self._joystick, number) == raw)

    def press(self, *buttons: str) -> None:
        """Press and release."""
        for is_down in (1, 0):
            for button in buttons:
                number = BUTTONS.index(button)
                assert sdl.SDL_JoystickSetVirtualButton(self._joystick, number, is_down) == 0
                until(lambda number=number, is_down=is_down: self._is_down(number) == is_down)

    def hold(self, button: str) -> None:
        """Press only."""
        assert sdl.SDL_JoystickSetVirtualButton(self._joystick, BUTTONS.index(button), 1) == 0
        until(lambda: self._is_down(BUTTONS.index(button)))

    def _is_down(self, number: int) -> bool:
        return sdl.SDL_JoystickGetButton(self._joystick, number)

    def unplug(self) -> None:
        for index in range(sdl.SDL_NumJoysticks()):
            if sdl.SDL_JoystickGetDeviceInstanceID(index) == self._number:
                assert sdl.SDL_JoystickDetachVirtual(index) == 0
                break
        sdl.SDL_JoystickClose(self._joystick)
