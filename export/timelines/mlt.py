"""MLT XML, which Shotcut opens and `melt` renders: the film on one track, its sound on another, markers as Shotcut's.

The form: https://www.mltframework.org/docs/mltxml/
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from .film_timeline import FilmTimeline

_COLOURS = {"changes": "#00a000", "beats": "#3060ff", "onsets": "#d02020"}


def as_mlt(film: FilmTimeline, folder: Path) -> bytes:
    """The XML; media relative to `folder`, in which it is written."""
    last = str(film.frames - 1)
    root = Element("mlt", LC_NUMERIC="C", version="7.12.0", title="sonorama", producer="timeline")
    root.append(_profile(film))
    tracks = [("picture", "audio", film.film, 0)]
    tracks += [("sound", "video", film.sound, film.sound_in)] if film.sound else []
    for name, _, path, first in tracks:
        root.append(_producer(f"{name}_file", path, folder, first + film.frames))
        playlist = SubElement(root, "playlist", id=name)
        _set(playlist, "shotcut:name", "V1" if name == "picture" else "A1")
        _set(playlist, "shotcut:video" if name == "picture" else "shotcut:audio", "1")
        within = {"in": str(first), "out": str(first + film.frames - 1)}
        SubElement(playlist, "entry", {"producer": f"{name}_file", **within})
    tractor = SubElement(root, "tractor", {"id": "timeline", "in": "0", "out": last, "title": "sonorama"})
    _set(tractor, "shotcut", "1")
    _add_markers(tractor, film)
    for name, hide, _, _ in tracks:
        SubElement(tractor, "track", producer=name, hide=hide)
    indent(root, "  ")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="utf-8") + b"\n"


def _profile(film: FilmTimeline) -> Element:
    width, height = film.size
    aspect = Fraction(width, height)
    facts = {
        "description": "sonorama", "width": width, "height": height, "progressive": 1, "sample_aspect_num": 1,
        "sample_aspect_den": 1, "display_aspect_num": aspect.numerator, "display_aspect_den": aspect.denominator,
        "frame_rate_num": film.fps.numerator, "frame_rate_den": film.fps.denominator, "colorspace": 709,
    }  # fmt: skip
    return Element("profile", {name: str(value) for name, value in facts.items()})


def _producer(name: str, path: Path, folder: Path, frames: int) -> Element:
    producer = Element("producer", {"id": name, "in": "0", "out": str(frames - 1)})
    _set(producer, "length", str(frames))
    _set(producer, "mlt_service", "avformat")
    _set(producer, "resource", os.path.relpath(path, folder))
    _set(producer, "seekable", "1")
    return producer


def _add_markers(tractor: Element, film: FilmTimeline) -> None:
    if not film.markers:
        return
    every = SubElement(tractor, "properties", name="shotcut:markers")
    for number, one in enumerate(film.markers):
        marker = SubElement(every, "properties", name=str(number))
        _set(marker, "text", one.name)
        _set(marker, "start", _clock(one.frame, film.fps))
        _set(marker, "end", _clock(one.frame, film.fps))
        _set(marker, "color", _COLOURS[one.kind])


def _clock(frame: int, fps: Fraction) -> str:
    """HH:MM:SS.mmm of a frame, which MLT rounds to the nearest one."""
    milliseconds = round(frame / fps * 1000)
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


def _set(element: Element, name: str, text: str) -> None:
    SubElement(element, "property", name=name).text = text
