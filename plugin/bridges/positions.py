"""Positions 0 to 1 of a control, such as a knob or a DMX channel, and the values of parameters at them."""

from __future__ import annotations

from sonorama.engine.control.parameters import Parameter, Value

PRESSED = 0.5
"""Position from which a knob or button counts as pressed; a key counts with any velocity."""


def position_of(param: Parameter, value: Value) -> float:
    """Position 0 to 1 of a value in the range of its parameter."""
    match param.kind:
        case "float":
            return float(param.to_norm(float(value)))
        case "int" | "slot":
            return (float(value) - param.low) / (param.high - param.low)
        case "choice":
            return param.choices.index(str(value)) / max(1, len(param.choices) - 1)
        case "text":
            return 0.0
        case _:
            return float(bool(value))


def value_at(param: Parameter, position: float) -> Value:
    """The value at a position 0 to 1; the inverse of `position_of`."""
    position = min(max(position, 0.0), 1.0)
    match param.kind:
        case "float":
            return param.from_norm(position)
        case "int" | "slot":
            return round(param.low + (param.high - param.low) * position)
        case "choice":
            return param.choices[round(position * (len(param.choices) - 1))]
        case _:
            return position >= PRESSED
