"""Ableton Link as a bridge."""
