"""Writes engine/control/addresses.py from the parameter tables: `python -m sonorama.engine.cli.address_module`."""

from collections.abc import Iterable
from pathlib import Path

from ..control import live_table
from ..control.sound_table import DRUMS
from ..units import LEVELS

_LINE = 100
"""Characters of a list that still stands on one line."""
PAGE = Path(live_table.__file__).with_name("addresses.py")

_HEAD = '''"""Addresses of all parameters, for code that names one.

Generated from render_table.py and live_table.py by `python -m sonorama.engine.cli.address_module`; do not edit.
"""

from typing import Literal

'''


def constant(path: str) -> str:
    """Name of an address's constant: "/look/text" -> "LOOK_TEXT"."""
    return path.strip("/").replace("/", "_").upper()


def as_python(paths: Iterable[str]) -> str:
    """The module's text, from every address of a show."""
    shown = {path: path.split("/")[1:] for path in paths}
    motion = [parts[2] for parts in shown.values() if parts[0] == "motion" and parts[1] == LEVELS[0]]
    moves = [parts[2] for parts in shown.values() if parts[0] == "moves" and parts[1] == "1"]
    meaning = [parts[2] for parts in shown.values() if parts[0] == "meaning" and parts[1] == "1"]
    blend = [parts[2] for parts in shown.values() if parts[0] == "blend" and parts[1] == "1"]
    window = [parts[2] for parts in shown.values() if parts[0] == "window" and parts[1] == "2"]
    single = [path for path, parts in shown.items() if (len(parts) == 2 and parts[0] != "axis") or parts[1] == "tempo"]
    scene = [parts[2] for parts in shown.values() if parts[:2] == ["scene", "1"]]
    drum = [parts[2] for parts in shown.values() if parts[:2] == ["sound", next(iter(DRUMS))]]
    lines = "".join(f'{constant(path)} = "{path}"\n' for path in single)
    lines += f"\nMotionName = {_literal(motion)}\nModulatorName = {_literal(moves)}\n"
    lines += f"MeaningName = {_literal(meaning)}\nDrumName = {_literal(drum)}\nWindowName = {_literal(window)}\n"
    lines += f"SceneName = {_literal(scene)}\n"
    lines += f"BlendName = {_literal(blend)}\n"
    lines += _function(
        "motion", "level: str, name: MotionName", "/motion/{level}/{name}", "A motion parameter of a level."
    )
    lines += _function("axis", "number: int", "/axis/{number}", "The place on principal axis `number`, from 1.")
    lines += _function("look_mix", "level: str", "/look/{level}/mix", "How far a level mixes in the second seed.")
    lines += _function("look_level_seed", "level: str", "/look/{level}/seed", "The second seed of a level alone.")
    lines += _function("look_level_code", "level: str", "/look/{level}/code", "The code mixed into a level.")
    lines += _function(
        "modulator_slot",
        "number: int",
        "/moves/{number}/",
        "What the addresses of modulator `number` begin with, from 1.",
    )
    lines += _function(
        "modulator", "number: int, name: ModulatorName", "/moves/{number}/{name}",
        "A parameter of modulator `number`, from 1.",
    )  # fmt: skip
    lines += _function("drum", "which: str, name: DrumName", "/sound/{which}/{name}", "A parameter of a drum's band.")
    lines += _function(
        "scene", "number: int, name: SceneName", "/scene/{number}/{name}", "A parameter of scene `number`, from 1."
    )
    lines += _function(
        "blend", "point: int, name: BlendName", "/blend/{point}/{name}", "A parameter of a point of the blend surface."
    )
    lines += _function(
        "window", "number: int, name: WindowName", "/window/{number}/{name}",
        "A parameter of full-screen window `number`, from 2.",
    )  # fmt: skip
    doc = "A parameter of slot `slot` of the meaning mixer, from 1."
    return _HEAD + lines + _function("meaning", "slot: int, name: MeaningName", "/meaning/{slot}/{name}", doc)


def _literal(names: list[str]) -> str:
    line = "Literal[" + ", ".join(f'"{name}"' for name in names) + "]"
    return line if len(line) <= _LINE else "Literal[\n" + "".join(f'    "{name}",\n' for name in names) + "]"


def _function(name: str, takes: str, path: str, doc: str) -> str:
    return f'\n\ndef {name}({takes}) -> str:\n    """{doc}"""\n    return f"{path}"\n'


if __name__ == "__main__":
    PAGE.write_text(as_python(live_table.SHOW), encoding="utf-8")
