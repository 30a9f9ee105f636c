"""The address that was meant by one that does not exist."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

MOST = 64
"""Numbers that are tried."""
CLOSE = 0.75
"""Least similarity (difflib's ratio) of an address that is suggested, without the part that all share."""


class Suggestions:
    """Finds the address that is nearest to an unknown one.

    Args:
        addresses: all that exist.
        root: their first part, which senders leave out.

    """

    def __init__(self, addresses: Iterable[str], root: str) -> None:
        self._root = root
        self._known = {address.lower(): address for address in addresses}

    def tidy(self, address: str) -> str:
        """The address in small letters, with the root, single slashes, and whole numbers for such as `4.000`."""
        parts = [re.sub(r"^(\d+)\.0*$", r"\1", part) for part in address.strip().lower().split("/") if part]
        inside = [self._root.strip("/"), *(parts[1:] if parts[:1] == [self._root.strip("/")] else parts)]
        return "/" + "/".join(inside)

    def nearest(self, address: str) -> str | None:
        """The address that was meant; None if none is near."""
        tidy = self.tidy(address)
        if tidy in self._known:
            return self._known[tidy]
        prefix = f"/{self._root.strip('/')}/"
        own = {known.removeprefix(prefix): known for known in self._known}
        close = difflib.get_close_matches(tidy.removeprefix(prefix), own, 1, CLOSE)
        return self._known[own[close[0]]] if close else None

    def numbers(self, address: str) -> str | None:
        """How far the numbers go where only a number in the address is too large or small: `there are 1 to 8`."""
        parts = self.tidy(address).split("/")
        for place, part in enumerate(parts):
            if part.isdecimal():
                there = [
                    n
                    for n in range(1, MOST + 1)
                    if "/".join([*parts[:place], str(n), *parts[place + 1 :]]) in self._known
                ]
                if there:
                    return f"there are {there[0]} to {there[-1]}"
        return None
