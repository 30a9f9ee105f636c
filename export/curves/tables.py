"""Curves as a table: CSV, or JSON with onsets, beats and changes of what is heard."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from ...engine.pipeline.sound_curves import SoundCurves


def columns(curves: SoundCurves) -> dict[str, list[float]]:
    """Name -> values of every frame: the features, then the classes and labels; a class called like a feature gets
    `class ` before its name.
    """
    named = dict(curves.features)
    for name, values in curves.scores.items():
        named[f"class {name}" if name in named else name] = values
    return {name: [round(value, 6) for value in values.tolist()] for name, values in named.items()}


def as_csv(curves: SoundCurves) -> bytes:
    """A head line, then one line a frame: frame, seconds, and each curve."""
    named = columns(curves)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["frame", "seconds", *named])
    for frame, row in enumerate(zip(*named.values(), strict=True)):
        writer.writerow([frame, round(float(frame / curves.fps), 6), *row])
    return text.getvalue().encode()


def facts(curves: SoundCurves, about: Mapping[str, Any]) -> dict[str, Any]:
    """All of the curves for JSON; about: where they come from."""
    return {
        "made_by": "sonorama",
        **about,
        "fps": str(curves.fps),
        "frames": curves.frames,
        "curves": columns(curves),
        "onsets": [[frame, strength] for frame, strength in curves.onsets.items()],
        "beats": list(curves.beats),
        "changes": [[frame, name] for frame, name in curves.changes.items()],
    }


def as_json(curves: SoundCurves, about: Mapping[str, Any]) -> bytes:
    """One object, in ASCII."""
    return (json.dumps(facts(curves, about)) + "\n").encode()
