"""The show: the process that never stops. Values, outputs, the renderer's life, and the command `sonorama live`."""
