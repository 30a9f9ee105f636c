"""The argument of a bridge or sink, `name=value&name=value`, as words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn
from urllib.parse import parse_qsl

from sonorama.engine.errors import SonoramaError
from sonorama.engine.whole_numbers import whole_number


class Words:
    """What was said behind the colon.

    Args:
        who: for messages, such as `The bridge midi`.
        argument: the text; without `=` it is the value of `alone`.
        known: names that may be said.
        alone: name of a value that stands alone; empty: none may.

    Raises:
        SonoramaError: a name that is not known.

    """

    def __init__(self, who: str, argument: str, known: Sequence[str], alone: str = "") -> None:
        self.who, self._said = who, dict[str, list[str]]()
        pairs = parse_qsl(argument, keep_blank_values=True) if "=" in argument else [(alone, argument)]
        for name, value in pairs:
            if value or "=" in argument:
                self._said.setdefault(name, []).append(value)
        if unknown := set(self._said) - set(known):
            raise SonoramaError(f"{who} knows no {min(unknown) or argument}", f"Use {', '.join(known)}.")

    def all(self, name: str) -> list[str]:
        """Every value of a name."""
        return self._said.get(name, [])

    def last(self, name: str, default: str) -> str:
        """The value of a name that has one only. Raises SonoramaError if it was said with two."""
        said = self._said.get(name, [default])
        if len(set(said)) > 1:
            raise SonoramaError(f"{self.who}: {name} is given twice, {said[0]} and {said[1]}", "Leave one of them out.")
        return said[0]

    def switch(self, name: str) -> bool:
        """Whether the value is 1; False without one. Raises SonoramaError for another than 0 or 1."""
        value = self.last(name, "0")
        if value not in ("0", "1"):
            self.refuse(name, "neither 0 nor 1", f"Say: {name}=1")
        return value == "1"

    def number(self, name: str, default: int, allowed: range, noun: str = "") -> int:
        """A whole number. Raises SonoramaError for what is none, or not allowed; noun: what it is of, as in a port."""
        number = whole_number(self.last(name, str(default)), allowed[0], allowed[-1])
        if number is None:
            self.refuse(name, f"no {noun or name}", f"Use {allowed[0]} to {allowed[-1]}.")
        return number

    def refuse(self, name: str, why: str, hint: str) -> NoReturn:
        """Raise the SonoramaError for a value."""
        raise SonoramaError(f"{self.who}: {name}={self.last(name, '')} is {why}", hint)
