"""Procedural pictures: picture effects of the nine Landscape classes, drawn onto real photos.

A stand-in for the paper's landscape videos, made from licensed photos only. Every effect is a function of a photo,
a strength in 0..1 (the recording's loudness), a time in seconds and a seed, and is continuous in time, lightning apart.
"""

from .scenes import CLASSES, EFFECTS, draw

__all__ = ["CLASSES", "EFFECTS", "draw"]
