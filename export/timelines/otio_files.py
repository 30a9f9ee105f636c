"""Timelines by the package opentimelineio: .otio, CMX 3600 .edl and Final Cut Pro 7 .xml (extra `film`)."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import opentimelineio as otio

from ...engine.errors import one_line
from ..sequence import DIGITS, FIRST_NUMBER, PREFIX
from .film_timeline import FilmTimeline

_COLOURS = {
    "changes": otio.schema.MarkerColor.GREEN,
    "beats": otio.schema.MarkerColor.BLUE,
    "onsets": otio.schema.MarkerColor.RED,
}

# The event's times in the film and on the timeline; these the adapter counts from 0, ours begins where the film does.
_RECORDED = re.compile(r"(\S{11} \S{11}) \S{11} \S{11}\n")


def as_otio(film: FilmTimeline) -> bytes:
    """OpenTimelineIO's own JSON; markers on the timeline, media by file URL, a picture sequence by its numbers."""
    return _to_string(_timeline(film, float(film.fps)), "otio_json") + b"\n"


def as_edl(film: FilmTimeline) -> bytes:
    """CMX 3600: picture and sound as one event, markers as locators (`* LOC:`). Only for a film with a timecode."""
    # The adapter takes each 29.97 for drop-frame; at the whole rate it counts the same frames without dropping numbers.
    rate = float(film.fps) if film.drop else float(round(film.fps))
    timeline = _timeline(film, rate, markers_on_clip=True)
    text = _to_string(timeline, "cmx_3600", rate=rate).decode()
    counting = "DROP FRAME" if film.drop else "NON-DROP FRAME"
    text = text.replace("\n\n", f"\nFCM: {counting}\n\n", 1)
    text = _RECORDED.sub(r"\1 \1\n", text, count=1)
    channels = "V" if film.sound != film.film else "B" if film.channels == 1 else "AA/V"
    return text.replace("  V     C  ", f"  {channels:5} C  ", 1).encode()


def as_fcp7(film: FilmTimeline) -> bytes:
    """Final Cut Pro 7 XML, as Premiere and Resolve read it: a sequence with one audio track a channel, all linked."""
    timeline = _timeline(film, float(film.fps), tracks=film.channels, host="localhost")
    root = ElementTree.fromstring(_to_string(timeline, "fcp_xml"))  # noqa: S314 (what the adapter has just written)
    for sequence in root.iter("sequence"):
        _describe(sequence, film)
    ElementTree.indent(root, "  ")
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n<!-- made by sonorama -->\n'
    return head.encode() + ElementTree.tostring(root, encoding="utf-8") + b"\n"


def _to_string(timeline: otio.schema.Timeline, adapter: str, **options: float) -> bytes:
    text = otio.adapters.write_to_string(timeline, adapter, **options)
    return text if isinstance(text, bytes) else str(text).encode()


def _timeline(
    film: FilmTimeline, rate: float, *, markers_on_clip: bool = False, tracks: int = 1, host: str = ""
) -> otio.schema.Timeline:
    """tracks: of the sound. host: in file URLs."""
    start = _time(film.start, rate)
    timeline = otio.schema.Timeline(
        one_line(film.film.stem), global_start_time=start, metadata={"sonorama": {"made_by": "sonorama"}}
    )
    timeline.metadata["fcp_xml"] = {"timecode": {"displayformat": "DF" if film.drop else "NDF"}}
    picture = _clip(film, film.film, film.start, film.start, rate, host)
    timeline.tracks.append(otio.schema.Track("V1", [picture], kind=otio.schema.TrackKind.Video))
    for number in range(1, tracks + 1 if film.sound else 1):
        first = film.start if film.sound == film.film else film.sound_in
        media_start = film.start if film.sound == film.film else 0
        sound = _clip(film, film.sound or film.film, first, media_start, rate, host)
        # Also so that the adapter does not take it for the clip of the picture.
        sound.metadata["fcp_xml"] = {"sourcetrack": {"mediatype": "audio", "trackindex": str(number)}}
        timeline.tracks.append(otio.schema.Track(f"A{number}", [sound], kind=otio.schema.TrackKind.Audio))
    begins, holder = (film.start, picture) if markers_on_clip else (0, timeline.tracks)
    for one in film.markers:
        marked = otio.opentime.TimeRange(_time(begins + one.frame, rate), _time(1, rate))
        holder.markers.append(otio.schema.Marker(one.name, marked, _COLOURS[one.kind]))
    return timeline


def _clip(film: FilmTimeline, path: Path, first: int, media_start: int, rate: float, host: str) -> otio.schema.Clip:
    source = otio.opentime.TimeRange(_time(first, rate), _time(film.frames, rate))
    available = otio.opentime.TimeRange(_time(media_start, rate), _time(first - media_start + film.frames, rate))
    url = f"file://{host}{path.as_uri().removeprefix('file://')}"
    if film.pictures and path == film.film:
        media: otio.schema.ExternalReference | otio.schema.ImageSequenceReference = otio.schema.ImageSequenceReference(
            f"{url}/", PREFIX, film.pictures, FIRST_NUMBER, 1, rate, DIGITS, available_range=available
        )
    else:
        media = otio.schema.ExternalReference(url, available)
    media.metadata["fcp_xml"] = {"timecode": {"displayformat": "DF" if film.drop else "NDF"}}
    name = one_line(path.name)
    return otio.schema.Clip(
        name, media, source, metadata={"cmx_3600": {"reel": "AX", "comments": ["MADE BY SONORAMA"]}}
    )


def _time(frames: int, rate: float) -> otio.opentime.RationalTime:
    return otio.opentime.RationalTime(frames, rate)


def _describe(sequence: ElementTree.Element, film: FilmTimeline) -> None:
    """Add what the adapter leaves out: picture size, sound format, links between the clips, markers without length."""
    shape = f"<width>{film.size[0]}</width><height>{film.size[1]}</height><pixelaspectratio>square</pixelaspectratio>"
    shape = f"<samplecharacteristics>{shape}<fielddominance>none</fielddominance></samplecharacteristics>"
    heard = f"<samplecharacteristics><samplerate>{film.rate}</samplerate></samplecharacteristics>"
    _add(sequence, "media/video/format", shape)
    for file in (one for one in sequence.iter("file") if one.find("pathurl") is not None):
        _add(file, "media/video", shape)
        if film.sound is not None and str(file.findtext("name")) == one_line(film.sound.name):
            _add(file, "media/audio", f"{heard}<channelcount>{film.channels}</channelcount>")
        else:
            for media in file.findall("media"):
                media.remove(media.findall("audio")[0])
    items = [*sequence.findall("media/video/track/clipitem"), *sequence.findall("media/audio/track/clipitem")]
    for item in items:
        item.remove(item.findall("rate")[-1])  # it has two
        for index, other in enumerate(items):
            kind, track = ("audio", index) if index else ("video", 1)
            _add(item, ".", f"<link><linkclipref>{other.get('id')}</linkclipref><mediatype>{kind}</mediatype>"
                            f"<trackindex>{track}</trackindex><clipindex>1</clipindex></link>")  # fmt: skip
    for out in sequence.findall("marker/out"):
        out.text = "-1"


def _add(element: ElementTree.Element, place: str, xml: str) -> None:
    for found in element.findall(place):
        found.extend(ElementTree.fromstring(f"<all>{xml}</all>"))  # noqa: S314 (written above)
