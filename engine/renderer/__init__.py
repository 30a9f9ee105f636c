"""The renderer: the process that hears, moves and paints, and may be killed at any time."""
