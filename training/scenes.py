"""The nine Landscape classes drawn onto photos; see data/procedural_pictures."""

from .data.procedural_pictures import CLASSES, draw

__all__ = ["CLASSES", "draw"]
