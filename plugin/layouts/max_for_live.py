"""A Max for Live device (`.amxd`): an audio effect that passes sound on, with a dial or button for each parameter.

The file is a sequence of chunks, each a name, a length (little-endian) and content; the last one is a patcher as JSON.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

from sonorama.engine.control.parameters import Parameter
from sonorama.engine.osc.routing import NORM, ROOT

from .selection import selected, title

HIGH = 169
"""Height of a device in Live, in pixels."""
_ROWS, _WIDE, _TALL = 3, 52, 54
_DIALS = ("look", "motion", "blend", "picture", "moves", "out", "scene")
"""Groups whose numbers are dials, which Live automates; switches and triggers are taken of all groups."""
_FLOAT, _INT, _ENUM = 0, 1, 2
_AUDIO_EFFECT = b"aaaa"


def device(table: Mapping[str, Parameter], host: str, port: int) -> bytes:
    """The file of a device that sends to this host and port."""
    text = json.dumps({"patcher": _patcher(table, host, port)}, indent=1).encode() + b"\n\0"
    chunks = ((b"ampf", _AUDIO_EFFECT), (b"meta", struct.pack("<I", 0)), (b"ptch", text))
    return b"".join(name + struct.pack("<I", len(content)) + content for name, content in chunks)


class _Patch:
    """Boxes and the cords between them, as Max writes them."""

    def __init__(self) -> None:
        self.boxes: list[dict[str, Any]] = []
        self.lines: list[dict[str, Any]] = []

    def add(self, maxclass: str, rect: tuple[int, int, int, int], inlets: int, outlets: list[str], **more: Any) -> str:
        """A box; returns its id."""
        name = f"obj-{len(self.boxes) + 1}"
        box = {
            "id": name, "maxclass": maxclass, "numinlets": inlets, "numoutlets": len(outlets), "outlettype": outlets,
            "patching_rect": list(map(float, rect)), **more,
        }  # fmt: skip
        self.boxes.append({"box": box})
        return name

    def object(self, text: str, x: int, y: int, inlets: int, outlets: list[str]) -> str:
        """A box that holds an object's name and arguments."""
        return self.add("newobj", (x, y, 8 * len(text) + 8, 22), inlets, outlets, text=text)

    def connect(self, source: str, outlet: int, destination: str, inlet: int = 0) -> None:
        """A cord."""
        self.lines.append({"patchline": {"source": [source, outlet], "destination": [destination, inlet]}})


def _patcher(table: Mapping[str, Parameter], host: str, port: int) -> dict[str, Any]:
    patch, params = _Patch(), _chosen(table)
    columns = -(-len(params) // _ROWS)
    low = 100 + 120 * _ROWS
    sound_in = patch.object("plugin~", 20, 20, 2, ["signal", "signal"])
    sound_out = patch.object("plugout~", 20, 60, 2, ["signal", "signal"])
    for channel in (0, 1):
        patch.connect(sound_in, channel, sound_out, channel)
    sender = patch.object(f"udpsend {host} {port}", 20, low, 1, [])
    for at, param in enumerate(params):
        column, row = at // _ROWS, at % _ROWS
        _control(patch, param, (column, row), sender)
    return {
        "fileversion": 1, "appversion": {"major": 8, "minor": 5, "revision": 0, "architecture": "x64", "modernui": 1},
        "classnamespace": "box", "rect": [40.0, 80.0, 400.0 * columns + 40, low + 60.0], "openinpresentation": 1,
        "devicewidth": float(columns * _WIDE + 4), "description": "sonorama over OSC",
        "boxes": patch.boxes, "lines": patch.lines,
    }  # fmt: skip


def _chosen(table: Mapping[str, Parameter]) -> list[Parameter]:
    """Dials first, then buttons."""
    groups = selected(table)
    dials = [one for name in _DIALS for one in groups.get(name, ()) if one.kind in ("float", "int")]
    return dials + [one for params in groups.values() for one in params if one.kind in ("switch", "trigger")]


def _control(patch: _Patch, param: Parameter, at: tuple[int, int], sender: str) -> None:
    """A dial, toggle or button, its name beside it, and the object that puts the address before its value."""
    column, row = at
    x, y = 20 + column * 400, 100 + row * 120
    shown = (float(column * _WIDE + 4), float(row * _TALL + 3))
    match param.kind:
        case "float" | "int":
            box = ("live.dial", (41, 48), ["", "float"])
        case "switch":
            box = ("live.toggle", (20, 20), [""])
        case _:
            box = ("live.button", (20, 20), [""])
    maxclass, size, outlets = box
    control = patch.add(
        maxclass, (x, y, *size), 1, outlets, parameter_enable=1, presentation=1,
        presentation_rect=[*shown, *map(float, size)], varname=param.path.strip("/").replace("/", "_"),
        saved_attribute_attributes={"valueof": _attributes(param)},
    )  # fmt: skip
    if maxclass != "live.dial":
        patch.add(
            "comment", (x + 200, y, 120, 20), 1, [], text=title(param), fontsize=8.0, presentation=1,
            presentation_rect=[shown[0], shown[1] + 22, _WIDE - 4.0, 24.0],
        )  # fmt: skip
    path = ROOT + param.path + (NORM if _by_position(param) else "")
    text = f"prepend {path}" if param.kind != "trigger" else f"{path} 1"
    if param.kind == "trigger":
        message = patch.add("message", (x, y + 70, 8 * len(text) + 8, 22), 2, [""], text=text)
    else:
        message = patch.object(text, x, y + 70, 1, [""])
    patch.connect(control, 0, message)
    patch.connect(message, 0, sender)


def _by_position(param: Parameter) -> bool:
    """A curve that a dial does not have is played by position, 0 to 1."""
    return param.curve == "log"


def _attributes(param: Parameter) -> dict[str, Any]:
    """What Live knows of a parameter: name, type, range and the value it begins with."""
    common = {"parameter_longname": param.path.strip("/").replace("/", " "), "parameter_shortname": title(param)}
    match param.kind:
        case "float" | "int":
            by_position = _by_position(param)
            first = param.to_norm(float(param.default)) if by_position else float(param.default)
            return {
                **common, "parameter_type": _INT if param.kind == "int" else _FLOAT, "parameter_unitstyle": 1,
                "parameter_mmin": 0.0 if by_position else param.low,
                "parameter_mmax": 1.0 if by_position else param.high,
                "parameter_initial_enable": 1, "parameter_initial": [first],
            }  # fmt: skip
        case _:
            return {
                **common, "parameter_type": _ENUM, "parameter_mmax": 1, "parameter_enum": ["off", "on"],
                "parameter_initial_enable": 1, "parameter_initial": [float(param.default)],
            }  # fmt: skip
