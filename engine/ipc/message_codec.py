"""Messages to lines of JSON and back, whatever arrives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from .messages import MESSAGES, Changed, Hello, Message, Set, Status, Values, message_type

LENIENT = {message_type(kind.__name__): kind for kind in (Hello, Values, Changed, Status, Set)}
"""Messages between programs of perhaps different versions: what does not fit is left out."""
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Union[MESSAGES])  # noqa: UP007 (of a tuple)


def encode(message: Message) -> bytes:
    """A message as one line of JSON."""
    return _ENCODER.encode(message) + b"\n"


def decode(line: bytes) -> Message | None:
    """The message of a line; None for an object that is none of ours.

    Raises:
        ValueError: the line holds no JSON object.
        RecursionError: it is nested too deeply.

    """
    try:
        return _DECODER.decode(line)
    except msgspec.ValidationError:
        said = msgspec.json.decode(line)
    if not isinstance(said, dict):
        raise ValueError("not an object")
    kind = LENIENT.get(str(said.get("type")))
    return None if kind is None else _lenient(kind, said)


def _lenient(kind: type[Message], said: dict[str, Any]) -> Message | None:
    """A message of those fields that fit; None where one is missing that must be there."""
    hints, fields = get_type_hints(kind), dict[str, Any]()
    for name in kind.__struct_fields__:
        for one in _fitting(hints[name], said.get(name)):
            fields[name] = one
    try:
        return kind(**fields)
    except TypeError:
        return None


def _fitting(kind: Any, value: object) -> Iterator[Any]:
    """The value as a type, if it fits; of lists and objects those entries that do."""
    origin, of = get_origin(kind), get_args(kind)
    if isinstance(value, list) and (origin is list or (origin is tuple and of[-1] is ...)):
        yield origin(one for entry in value for one in _fitting(of[0], entry))
    elif isinstance(value, dict) and origin is dict:
        yield {str(key): one for key, entry in value.items() for one in _fitting(of[1], entry)}
    else:
        try:
            yield msgspec.convert(value, kind)
        except (msgspec.ValidationError, OverflowError):
            return
