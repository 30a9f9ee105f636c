"""Losses that several stages share."""
