"""The sound tracks of a file: which there are, and which one is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from av.audio.stream import AudioStream
from av.container import InputContainer

from ..whole_numbers import whole_number

# ISO 639: what people write -> what files say. Other codes of two letters are tried as they are.
_LANGUAGES = {
    "de": ("deu", "ger"), "en": ("eng",), "fr": ("fra", "fre"), "es": ("spa",), "it": ("ita",), "pt": ("por",),
    "nl": ("nld", "dut"), "sv": ("swe",), "no": ("nor", "nob", "nno"), "da": ("dan",), "fi": ("fin",), "pl": ("pol",),
    "cs": ("ces", "cze"), "sk": ("slk", "slo"), "hu": ("hun",), "ro": ("ron", "rum"), "el": ("ell", "gre"),
    "ru": ("rus",), "uk": ("ukr",), "tr": ("tur",), "ar": ("ara",), "he": ("heb",), "fa": ("fas", "per"),
    "hi": ("hin",), "zh": ("zho", "chi"), "ja": ("jpn",), "ko": ("kor",),
}  # fmt: skip


@dataclass(frozen=True)
class Track:
    """One sound track of a file.

    Attributes:
        number: 1 for the first sound track, as `--track` counts.
        index: FFmpeg's index of the stream.
        language: ISO 639 code that the file states; empty if none.
        text: what it is, in a few words.

    """

    number: int
    index: int
    language: str
    text: str


def tracks_of(container: InputContainer) -> list[Track]:
    """Every sound track of an open file, in its order."""
    return [_track(number, stream) for number, stream in enumerate(container.streams.audio, 1)]


def _track(number: int, stream: AudioStream) -> Track:
    language = stream.metadata.get("language", "")
    language = "" if language in ("und", "mis", "zxx") else language
    context = stream.codec_context
    kind = "unknown" if context is None else f"{context.name} {context.layout.name}"
    title = stream.metadata.get("title", "")
    words = [str(number), kind, *(word for word in (language, title and f"'{title}'") if word)]
    return Track(number, stream.index, language, " ".join(words))


def chosen(tracks: Sequence[Track], wanted: str | None, usual: int) -> Track | None:
    """The track that is meant; None if there is no such track.

    Args:
        tracks: all of them.
        wanted: a number as in `Track.number`, or a language ("ger", "de"): the first track in it; None: `usual`.
        usual: FFmpeg's index of the track that is taken unless another one is wanted.

    """
    if wanted is None:
        return next((track for track in tracks if track.index == usual), None)
    if wanted.isascii() and wanted.isdigit():
        number = whole_number(wanted, 1, len(tracks))
        return next((track for track in tracks if track.number == number), None)
    if not (word := wanted.strip().lower()):
        return None  # files often leave the language empty
    same = next((codes for short, codes in _LANGUAGES.items() if word == short or word in codes), ())
    names = {word, *same}
    return next((track for track in tracks if track.language.lower().split("-")[0] in names), None)


def listed(tracks: Sequence[Track]) -> str:
    """All tracks in one line."""
    return "; ".join(track.text for track in tracks)
