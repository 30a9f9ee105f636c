"""Words for pictures and sounds: captions of the photos, phrases of the classes, colours that a picture shows."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ..footage.layouts import UNLABELLED
from .procedural_pictures import CLASSES

ANY = -2
"""A text that says nothing of this."""
COLOURS = ("dark", "bright", "red", "orange", "yellow", "green", "blue", "purple", "grey", "warm", "cold")
COLOUR_TEMPLATES = ("{}", "a {} picture", "{} light", "a {} landscape", "something {}")
JOINED = ("{photo}, {class_id}", "{class_id} over {photo}", "{photo} with {class_id}", "{class_id}, {photo}")


def as_words(name: str) -> str:
    """The name of a class as words: `sea_waves` -> "sea waves"; nothing of files without a class."""
    return "" if name == UNLABELLED else " ".join(name.replace("_", " ").split())


@dataclass(frozen=True)
class Captions:
    """photos: captions by photo name; templates: with one {}; classes: phrases by class."""

    photos: dict[str, list[str]]
    templates: list[str]
    classes: dict[str, list[str]]

    @staticmethod
    def load() -> Captions:
        """The ones beside this file."""
        return Captions(**json.loads(Path(__file__).with_name("captions.json").read_text("utf-8")))

    @staticmethod
    def of(root: Path) -> Captions:
        """Those, and for photos that they do not know what the manifest says: its column `caption`, else the name of
        the class, where it has the column (data sets of `sonorama footage`). Other photos have no caption.
        """
        captions = Captions.load()
        with (root / "MANIFEST.tsv").open(newline="", encoding="utf-8") as lines:
            rows = [row for row in csv.DictReader(lines, delimiter="\t") if "caption" in row]
        told = {Path(r["file"]).stem: r["caption"] or as_words(r["class"]) for r in rows}
        own = {name: [text] for name, text in told.items() if text and name not in captions.photos}
        return replace(captions, photos=captions.photos | own)

    def class_texts(self, class_id: str) -> list[str]:
        """Every phrase of a class in every template; of a class without phrases its name."""
        phrases = self.classes.get(class_id, [as_words(class_id)])
        return [template.format(phrase) for phrase in phrases for template in self.templates]

    def all_texts(self) -> list[str]:
        """Texts that hold every word the tower may learn."""
        texts = [text for captions in self.photos.values() for text in captions]
        texts += [text for class_id in CLASSES for text in self.class_texts(class_id)]
        texts += [t.format(c) for c in COLOURS for t in COLOUR_TEMPLATES]
        return [*texts, *[joined.format(photo="", class_id="") for joined in JOINED]]


@dataclass(frozen=True)
class Text:
    """A text and what it says: photo (index), class_id (index), colour (index), each ANY where it does not say."""

    words: str
    photo: int = ANY
    class_id: int = ANY
    colour: int = ANY


def colours_of(thumbnail: Tensor) -> Tensor:
    """4 x 4 thumbnails [B,3,4,4] in [-1,1] -> which of COLOURS they show, bool [B,11]."""
    r, g, b = ((thumbnail.flatten(2) + 1) / 2).unbind(1)
    top, low = torch.stack([r, g, b]).amax(0), torch.stack([r, g, b]).amin(0)
    chroma = (top - low).clamp_min(1e-4)
    hue = (
        torch.where(top == r, ((g - b) / chroma) % 6, torch.where(top == g, (b - r) / chroma + 2, (r - g) / chroma + 4))
        * 60
    )
    vivid = (chroma > 0.12) & (top > 0.15)
    bounds = {
        "red": (345, 15),
        "orange": (15, 42),
        "yellow": (42, 70),
        "green": (70, 165),
        "blue": (165, 255),
        "purple": (255, 345),
    }
    shows = {}
    for name, (a, z) in bounds.items():
        inside = (hue >= a) & (hue < z) if a < z else (hue >= a) | (hue < z)
        shows[name] = (vivid & inside).float().mean(1) > 0.3
    luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
    warmth = (r - b).mean(1)
    shows |= {"dark": luma.mean(1) < 0.25, "bright": luma.mean(1) > 0.55, "grey": (~vivid).float().mean(1) > 0.7}
    shows |= {"warm": warmth > 0.1, "cold": warmth < -0.1}
    return torch.stack([shows[name] for name in COLOURS], 1)


@dataclass(frozen=True)
class Narrator:
    """Says something true about a picture."""

    captions: Captions
    photos: tuple[str, ...]

    def say(self, photo: int, class_id: int, shown: Tensor, rng: torch.Generator) -> Text:
        """A text for a picture of `photo` with class `class_id` drawn on it (-1: none) that shows these colours."""

        def pick(items: list[str]) -> str:
            return items[int(torch.randint(len(items), (1,), generator=rng))]

        kind = float(torch.rand((), generator=rng))
        known = self.captions.photos.get(self.photos[photo])
        place = pick(known) if known else ""
        silent = not place and class_id < 0  # colours are all that can be said of it
        if (kind < 0.15 or silent) and bool(shown.any()):
            colour = int(torch.multinomial(shown.float(), 1, generator=rng))
            return Text(pick([t.format(COLOURS[colour]) for t in COLOUR_TEMPLATES]), colour=colour)
        if silent:
            return Text("a picture")
        if place and (class_id < 0 or kind < 0.3):
            return Text(pick(self.captions.templates[:3:2]).format(place), photo=photo)
        phrase = pick(self.captions.classes[CLASSES[class_id]])
        if kind < 0.65 or not place:
            return Text(pick(self.captions.templates).format(phrase), class_id=class_id)
        return Text(pick(list(JOINED)).format(photo=place, class_id=phrase), photo=photo, class_id=class_id)
