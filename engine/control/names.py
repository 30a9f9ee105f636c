"""Names that people give to what they keep: presets, scenes, cues."""

from __future__ import annotations

import unicodedata

from ..errors import ValueRefused

LONGEST_NAME = 64
"""Characters of a name."""
_UNSEEN = ("Cc", "Cf", "Cs")
"""Unicode categories of characters that cannot be seen: controls, formats, halves of pairs."""


def tidy_name(name: str) -> str:
    """The name in composed characters (NFC), with single spaces and none at the ends; may be empty.

    Raises:
        ValueRefused: more than 64 characters or 200 bytes, or with characters that cannot be seen.

    """
    plain = " ".join(unicodedata.normalize("NFC", name).split())
    if any(unicodedata.category(one) in _UNSEEN for one in plain):  # first: such a character must not be shown
        raise ValueRefused(f"The name {plain[:20]!r} has characters that cannot be seen", "Leave them out.")
    if len(plain) > LONGEST_NAME or len(plain.encode(errors="replace")) > 200:
        raise ValueRefused(f"The name {plain[:20]}\u2026 is too long", f"Use up to {LONGEST_NAME} characters.")
    return plain
