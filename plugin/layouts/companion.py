"""A page of Bitfocus Companion (`.companionconfig`), for Stream Decks: scenes, cues, safety, switches and triggers.

The file is JSON of the version that Companion 3.0 wrote, which newer ones convert when they import it. Its connection
is Companion's own module for OSC, `generic-osc`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sonorama.engine.control.addresses import (
    AUTO_NEXT,
    AUTO_ON,
    CUE_BACK,
    CUE_GO,
    OUT_BLACKOUT,
    OUT_FREEZE,
    OUT_PANIC,
    OUT_RECORD,
    SCENE_RECALL,
    SOUND_RESYNC,
    SOUND_TAP,
)
from sonorama.engine.control.parameters import Parameter
from sonorama.engine.ipc.messages import SCENES
from sonorama.engine.osc.routing import ROOT

from .selection import selected, title

COLUMNS, ROWS = 8, 4
VERSION = 4
CONNECTION = "sonorama-osc"
_FIRST = (
    OUT_BLACKOUT, OUT_FREEZE, OUT_PANIC, OUT_RECORD, CUE_BACK, CUE_GO, AUTO_ON, AUTO_NEXT, SOUND_TAP, SOUND_RESYNC,
)  # fmt: skip
"""Buttons below the scenes; the other switches and triggers follow in the order of the table, as many as fit."""
_WHITE, _GREY, _RED, _TEAL = 0xFFFFFF, 0x303030, 0xA01818, 0x206870
_COLOURS = {OUT_BLACKOUT: _RED, OUT_FREEZE: _RED, OUT_PANIC: _RED}


def page(table: Mapping[str, Parameter], host: str, port: int) -> bytes:
    """The file of a page that sends to this host and port."""
    buttons = [_button(f"SCENE\n{number}", _TEAL, [[(SCENE_RECALL, number)]]) for number in range(1, SCENES + 1)]
    buttons += [_of(param) for param in _chosen(table)]
    controls: dict[str, dict[str, Any]] = {}
    for at, button in enumerate(buttons[: COLUMNS * ROWS]):
        controls.setdefault(str(at // COLUMNS), {})[str(at % COLUMNS)] = button
    grid = {"minColumn": 0, "maxColumn": COLUMNS - 1, "minRow": 0, "maxRow": ROWS - 1}
    said = {
        "version": VERSION, "type": "page", "oldPageNumber": 1, "instances": {CONNECTION: _connection(host, port)},
        "page": {"name": "sonorama", "controls": controls, "gridSize": grid},
    }  # fmt: skip
    return json.dumps(said, indent=1).encode() + b"\n"


def _connection(host: str, port: int) -> dict[str, Any]:
    """The module's settings; older versions of it call the port `port`, newer ones `targetPort`."""
    config = {"host": host, "port": str(port), "targetPort": str(port), "protocol": "udp", "listen": False}
    return {
        "instance_type": "generic-osc", "label": "sonorama", "enabled": True, "isFirstInit": False, "sortOrder": 0,
        "lastUpgradeIndex": -1, "config": config,
    }  # fmt: skip


def _chosen(table: Mapping[str, Parameter]) -> list[Parameter]:
    all_of_them = [one for params in selected(table).values() for one in params if one.kind in ("switch", "trigger")]
    first = [table[path] for path in _FIRST]
    return first + [one for one in all_of_them if one not in first]


def _of(param: Parameter) -> dict[str, Any]:
    """A trigger sends 1; a switch sends by turns what it is not at the start, and what it is."""
    text = title(param).replace(" ", "\n", 1)
    colour = _COLOURS.get(param.path, _GREY)
    if param.kind == "trigger":
        return _button(text, colour, [[(param.path, 1)]])
    return _button(text, colour, [[(param.path, int(not param.default))], [(param.path, int(bool(param.default)))]])


def _button(text: str, colour: int, steps: list[list[tuple[str, int]]]) -> dict[str, Any]:
    """steps: what one press after the other sends."""
    style = {
        "text": text, "size": "auto", "png": None, "alignment": "center:center", "pngalignment": "center:center",
        "color": _WHITE, "bgcolor": colour, "show_topbar": "default",
    }  # fmt: skip
    return {
        "type": "button", "style": style, "feedbacks": [],
        "options": {"relativeDelay": False, "rotaryActions": False, "stepAutoProgress": True},
        "steps": {str(at): _step(sends, f"{text}-{at}") for at, sends in enumerate(steps)},
    }  # fmt: skip


def _step(sends: list[tuple[str, int]], name: str) -> dict[str, Any]:
    down = [
        {
            "id": f"{name}-{at}".replace("\n", "-").replace(" ", "-"), "instance": CONNECTION, "action": "send_int",
            "options": {"path": ROOT + path, "int": number}, "delay": 0,
        }
        for at, (path, number) in enumerate(sends)
    ]  # fmt: skip
    return {"action_sets": {"down": down, "up": []}, "options": {"runWhileHeld": []}}
