"""Gamepads: sticks play the blend surface and parameters, buttons fire triggers."""
