"""Text from outside, such as names and OSC addresses, in tooltips, which take what looks like HTML for rich text."""

from __future__ import annotations

import html


def plain_tip(text: str) -> str:
    """A tooltip that shows the text as it is, tags and all; the text itself where Qt shows that unchanged."""
    if "<" not in text and "&" not in text:
        return text
    return f"<p>{html.escape(text, quote=False)}</p>".replace("\n", "<br>")
