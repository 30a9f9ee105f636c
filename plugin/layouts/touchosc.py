"""A TouchOSC layout (`.tosc`): XML, compressed by zlib; a page for playing, and one for each group of parameters."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from sonorama.engine.control.addresses import (
    BLEND_X,
    BLEND_Y,
    CUE_BACK,
    CUE_GO,
    OUT_BLACKOUT,
    OUT_FREEZE,
    OUT_MASTER,
    OUT_PANIC,
    SCENE_RECALL,
    SOUND_TAP,
)
from sonorama.engine.control.parameters import Parameter
from sonorama.engine.ipc.messages import SCENES
from sonorama.engine.osc.routing import NORM, ROOT
from sonorama.engine.osc.server import DUMP, SUBSCRIBE

from ..bridges.positions import position_of
from .selection import label, selected, title

WIDTH, HEIGHT, TABS = 1280, 800, 40
COLUMNS = 16
_GAP, _LABEL, _BUTTON = 4, 18, 64
_VERSION = "3"  # of TouchOSC's first files; newer ones read it
_MOMENTARY, _TOGGLE = 0, 2
_GREY, _ACCENT, _RED, _CLEAR = "0.25 0.25 0.25 1", "0.2 0.55 0.6 1", "0.7 0.1 0.1 1", "0 0 0 0"
_ALL_CONNECTIONS = "11111"
_OWN = uuid.UUID("5a1e0a57-6c1b-4f6e-9d0e-736f6e6f7261")
Frame = tuple[int, int, int, int]
"""x, y, width, height in pixels, within the parent."""


def layout(table: Mapping[str, Parameter]) -> bytes:
    """The file of a layout for these parameters."""
    pages = [_page("play", _play(table))]
    for group, params in selected(table).items():
        pages.append(_page(group, _grid(params)))
    pager = _node(
        "PAGER", "pages", (0, 0, WIDTH, HEIGHT), _GREY, pages, integers={"tabbarSize": TABS}, switches={"tabbar": True}
    )
    root = Element("lexml", version=_VERSION)
    root.append(_node("GROUP", "sonorama", (0, 0, WIDTH, HEIGHT), _CLEAR, [pager]))
    return zlib.compress(ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True), 9)


def _page(name: str, children: Iterable[Element]) -> Element:
    page = _node("GROUP", name, (0, TABS, WIDTH, HEIGHT - TABS), _CLEAR, children)
    _property(page, "s", "tabLabel", name)
    return page


def _play(table: Mapping[str, Parameter]) -> Iterator[Element]:
    """The blend surface, the master fader, scenes, and the buttons that must be in reach."""
    high = HEIGHT - TABS
    pad = (_GAP, _GAP, 680, high - _BUTTON - 3 * _GAP)
    yield _node("XY", "blend", pad, _ACCENT, messages=[_osc(BLEND_X + NORM, "x"), _osc(BLEND_Y + NORM, "y", 1, 0)])
    yield _fader(table[OUT_MASTER], (692, _GAP, 100, high - _BUTTON - 3 * _GAP), "master")
    yield _label("master", (692, high - _BUTTON - 3 * _GAP - _LABEL, 100, _LABEL), 14)
    for number in range(SCENES):
        frame = (800 + number % 4 * 118, _GAP + number // 4 * 150, 114, 146)
        yield from _button(f"scene {number + 1}", frame, _GREY, _osc_constant(SCENE_RECALL, number + 1))
    for number, path in enumerate((CUE_BACK, CUE_GO, SOUND_TAP, OUT_PANIC)):
        yield from _control(table[path], (800 + number * 118, 320, 114, 146))
    for number, path in enumerate((OUT_FREEZE, OUT_BLACKOUT)):
        yield from _control(table[path], (800 + number * 236, 480, 232, 200), _RED)
    frame = (_GAP, high - _BUTTON - _GAP, 200, _BUTTON)
    asks = [_message(path.removeprefix(ROOT), "x", "RISE", None, receives=False) for path in (SUBSCRIBE, DUMP)]
    yield from _button("connect", frame, _ACCENT, *asks)
    heard = _osc("/heard/1/label", "text", is_text=True)
    yield _label("heard", (220, high - _BUTTON - _GAP, WIDTH - 224, _BUTTON), 28, heard)


def _grid(params: Sequence[Parameter]) -> Iterator[Element]:
    """Faders in rows, below them buttons and choices."""
    faders = [one for one in params if one.kind in ("float", "int")]
    rest = [one for one in params if one not in faders]
    rows, high = -(-len(faders) // COLUMNS), HEIGHT - TABS - -(-len(rest) // 4) * (_BUTTON + _LABEL)
    for at, param in enumerate(faders):
        wide, tall = WIDTH // COLUMNS, high // rows
        x, y = at % COLUMNS * wide, at // COLUMNS * tall
        yield _fader(param, (x, y, wide - _GAP, tall - _LABEL - _GAP))
        yield _label(label(param), (x, y + tall - _LABEL - _GAP, wide - _GAP, _LABEL), 11)
    for at, param in enumerate(rest):
        frame = (at % 4 * WIDTH // 4, high + at // 4 * (_BUTTON + _LABEL), WIDTH // 4 - _GAP, _BUTTON)
        yield from _control(param, frame)


def _fader(param: Parameter, frame: Frame, name: str = "") -> Element:
    message = _osc(param.path + NORM, "x") if param.kind == "float" else _osc_steps(param.path, param.low, param.high)
    start = {"x": f"{position_of(param, param.default):.6g}"}
    return _node("FADER", name or label(param), frame, _ACCENT, messages=[message], starts=start)


def _control(param: Parameter, frame: Frame, colour: str = _GREY) -> Iterator[Element]:
    x, y, wide, tall = frame
    match param.kind:
        case "trigger":
            yield from _button(title(param), frame, colour, _osc_constant(param.path, 1))
        case "switch":
            yield from _button(title(param), frame, colour, _osc(param.path, "x"), button_type=_TOGGLE)
        case _:
            steps = {"steps": len(param.choices), "orientation": 1}
            message = _osc_steps(param.path, 0, len(param.choices) - 1)
            yield _node("RADIO", label(param), (x, y, wide, tall - _LABEL), colour, messages=[message], integers=steps)
            names = " | ".join(param.choices)
            yield _label(f"{label(param)}: {names}", (x, y + tall - _LABEL, wide, _LABEL), 9)


def _button(
    name: str, frame: Frame, colour: str, *messages: Element, button_type: int = _MOMENTARY
) -> Iterator[Element]:
    yield _node("BUTTON", name, frame, colour, messages=messages, integers={"buttonType": button_type})
    yield _label(name, frame, 14)


def _label(text: str, frame: Frame, size: int, message: Element | None = None) -> Element:
    """Text that does not take touches, so that a button may lie under it."""
    messages = [] if message is None else [message]
    made = _node(
        "LABEL", f"{text} text", frame, _CLEAR, messages=messages, integers={"textSize": size},
        switches={"interactive": False, "background": False, "outline": False},
    )  # fmt: skip
    values = made.find("values")
    assert values is not None  # noqa: S101 (`_node` makes them)
    values.insert(0, _value("text", text))
    return made


_VALUES = {"XY": ("x", "y", "touch"), "FADER": ("x", "touch"), "BUTTON": ("x", "touch"), "RADIO": ("x", "touch")}


def _node(
    kind: str, name: str, frame: Frame, colour: str, children: Iterable[Element] = (),
    messages: Iterable[Element] = (), integers: Mapping[str, int] | None = None,
    switches: Mapping[str, bool] | None = None, starts: Mapping[str, str] | None = None,
) -> Element:  # fmt: skip
    node = Element("node", ID=str(uuid.uuid5(_OWN, f"{kind} {name} {frame}")), type=kind)
    for part in ("properties", "values", "messages", "children"):
        SubElement(node, part)
    _property(node, "s", "name", name)
    _property(node, "r", "frame", dict(zip("xywh", map(str, frame), strict=True)))
    _property(node, "c", "color", dict(zip("rgba", colour.split(), strict=True)))
    if kind in ("GROUP", "PAGER"):
        switches = {"interactive": kind == "PAGER", **(switches or {})}
    for key, number in (integers or {}).items():
        _property(node, "i", key, str(number))
    for key, on in (switches or {}).items():
        _property(node, "b", key, str(int(on)))
    parts = {part.tag: part for part in node}
    first = {"touch": "false", **(starts or {})}
    parts["values"].extend(_value(key, first.get(key, "0")) for key in _VALUES.get(kind, ("touch",)))
    parts["messages"].extend(messages)
    parts["children"].extend(children)
    return node


def _property(node: Element, kind: str, key: str, value: str | Mapping[str, str]) -> None:
    properties = node.find("properties")
    assert properties is not None  # noqa: S101 (`_node` makes them)
    one = SubElement(properties, "property", type=kind)
    SubElement(one, "key").text = key
    _fill(SubElement(one, "value"), value)


def _value(key: str, default: str) -> Element:
    one = Element("value")
    parts = {"key": key, "locked": "0", "lockedDefaultCurrent": "0", "default": default, "defaultPull": "0"}
    _fill(one, parts)
    return one


def _fill(element: Element, value: str | Mapping[str, str]) -> None:
    if isinstance(value, str):
        element.text = value
    else:
        for tag, text in value.items():
            SubElement(element, tag).text = text


def _osc(path: str, value: str, low: float = 0, high: float = 1, is_text: bool = False) -> Element:
    """A message that sends and takes a value of its control, such as `x`. A label's text is only taken."""
    conversion = "STRING" if is_text else "FLOAT"
    return _message(path, value, "ANY", _partial("VALUE", conversion, value, low, high), is_text=is_text)


def _osc_steps(path: str, low: float, high: float) -> Element:
    return _message(path, "x", "ANY", _partial("VALUE", "INTEGER", "x", low, high))


def _osc_constant(path: str, number: int) -> Element:
    """A message of a number when a button is pressed."""
    return _message(path, "x", "RISE", _partial("CONSTANT", "INTEGER", str(number)), receives=False)


def _message(
    path: str, trigger: str, condition: str, argument: Element | None, receives: bool = True, is_text: bool = False
) -> Element:
    osc = Element("osc")
    sends = "0" if is_text else "1"
    _fill(osc, {"enabled": "1", "send": sends, "receive": str(int(receives)), "feedback": "0"})
    SubElement(osc, "connections").text = _ALL_CONNECTIONS
    _fill(SubElement(SubElement(osc, "triggers"), "trigger"), {"var": trigger, "condition": condition})
    SubElement(osc, "path").append(_partial("CONSTANT", "STRING", ROOT + path))
    SubElement(osc, "arguments").extend([] if argument is None else [argument])
    return osc


def _partial(kind: str, conversion: str, value: str, low: float = 0, high: float = 1) -> Element:
    one = Element("partial")
    parts = {"type": kind, "conversion": conversion, "value": value}
    _fill(one, {**parts, "scaleMin": f"{low:g}", "scaleMax": f"{high:g}"})
    return one
