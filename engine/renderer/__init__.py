"""The renderer: the process that runs the networks and paints; it may be killed at any time."""
