"""Measures of a world."""
