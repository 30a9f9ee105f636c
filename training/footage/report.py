"""What a data set holds and what to expect of it, in plain sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ...engine.errors import one_line
from ...engine.units import SAMPLE_RATE
from .layouts import HELD_OUT, LANDSCAPE, UNLABELLED
from .manifest import Made
from .outcome import Outcome
from .settings import Settings

MEMORISED, FEW = 100, 500
"""Different pictures below which a world repeats them; below which it varies little."""
_LATE_S = 0.04
_CROPPED, _WHOLE = 0.75, 0.97
_NAMED = 5  # files that a sentence names


def report(made: Made, settings: Settings, unknown: Sequence[str]) -> list[str]:
    """The sentences.

    Args:
        made: every file of the folder with what it gave.
        settings: of the data set.
        unknown: names that the user's table has and the folder has not.

    """
    outcomes = [outcome for _, outcome in made]
    used = [o for o in outcomes if not o.skipped]
    return [
        *_contents(used),
        *_expectation(used),
        *_sound(used),
        *_left_out(used),
        *_shape(used, settings),
        *_stamps(used),
        *_classes(used),
        *_split(used),
        *_credit(made),
        *_troubles(outcomes, unknown),
    ]


def duration(seconds: float) -> str:
    """`1 h 3 min`, `2 min 5 s` or `4.2 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _names(outcomes: Iterable[Outcome]) -> str:
    names = [one_line(o.name) for o in outcomes]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _photos(outcomes: Iterable[Outcome]) -> int:
    return sum(len(o.photos) for o in outcomes)


def _sound_seconds(outcomes: Iterable[Outcome]) -> float:
    return sum(o.sound.samples for o in outcomes if o.sound) / SAMPLE_RATE


def _contents(used: list[Outcome]) -> Iterable[str]:
    kinds = Counter(o.kind for o in used)
    filmed = sum(o.seconds for o in used)
    shots = sum(o.shots for o in used)
    parts = [
        counted(kinds["video"], "video") + (f" ({duration(filmed)}, {counted(shots, 'shot')})" if filmed else ""),
        counted(kinds["photo"], "photo"),
        counted(kinds["sound"], "sound file"),
    ]
    yield f"Read: {', '.join(parts)}."
    clips = [clip for o in used for clip in o.clips]
    moving = f" ({duration(sum(c.frames for c in clips) / 30)})" if clips else ""
    tracks = sum(o.sound is not None for o in used)
    heard = f" ({duration(_sound_seconds(used))})" if tracks else ""
    yield (
        f"Made: {counted(_photos(used), 'different picture')}, {counted(len(clips), 'moving clip')}{moving}, "
        f"{counted(tracks, 'soundtrack')}{heard}."
    )


def _expectation(used: list[Outcome]) -> Iterable[str]:
    photos = _photos(used)
    if 0 < photos < MEMORISED:
        yield f"Only {counted(photos, 'different frame')}: expect memorised pictures. {FEW} and more give variety."
    elif photos < FEW:
        if photos:
            yield f"{photos} different frames: expect close variations of them. {FEW} and more give variety."
        else:
            yield "No pictures: a world cannot be trained on this alone."
    videos = [o for o in used if o.kind == "video"]
    if videos and not any(o.clips for o in videos):
        yield "No moving clips: nothing for a world to learn motion from."
    if still := sum(o.still for o in videos):
        yield f"{counted(still, 'stretch', 'stretches')} in which nothing moves gave no clip."


def _sound(used: list[Outcome]) -> Iterable[str]:
    videos = [o for o in used if o.kind == "video"]
    mute = [o for o in videos if not o.sound]
    if mute:
        yield f"No sound in {len(mute)} of {counted(len(videos), 'file')}: {_names(mute)}."
    if silent := [o for o in mute if "silent" in o.no_sound]:
        yield f"Of these, a sound track that is silent: {_names(silent)}."
    if not any(o.sound for o in used):
        yield "No sound at all: a world learns its pictures from this, but not what they answer to."
    for o in used:
        if o.sound and o.sound.rate < 32000:
            yield (f"{one_line(o.name)}: its sound has {o.sound.rate} Hz, nothing above {o.sound.rate / 2000:g} kHz.")
    short = [o for o in used if o.sound and o.sound.samples < SAMPLE_RATE]
    if short:
        yield f"Less than a second of sound in {counted(len(short), 'file')}: {_names(short)}."


def _left_out(used: list[Outcome]) -> Iterable[str]:
    looked = sum(o.looked_at for o in used)
    if doubles := sum(o.duplicates for o in used):
        yield f"{doubles} of {looked} pictures looked at were near-duplicates and were left out."
    if flat := sum(o.flat for o in used):
        yield f"{counted(flat, 'picture')} left out that show nothing (black, fog, a covered lens)."


def _shape(used: list[Outcome], settings: Settings) -> Iterable[str]:
    seen = [o for o in used if o.kind != "sound"]
    if not seen:
        return
    whole = sum(o.box.width * o.box.height >= _WHOLE for o in seen)
    fits = f"{whole} of {counted(len(seen), 'file')} {'fits' if whole == 1 else 'fit'} it uncropped"
    yield f"Aspect {settings.aspect}: {fits}; crops.png shows what is kept of each."
    cropped = [o for o in seen if o.box.width * o.box.height < _CROPPED]
    if cropped:
        worst = min(cropped, key=lambda o: o.box.width * o.box.height)
        kept = round(100 * worst.box.width * worst.box.height)
        of = f"{one_line(worst.name)} ({kept} % is kept)"
        yield f"Cropped by more than a quarter: {counted(len(cropped), 'file')}, most of all {of}."
    small = [o for o in seen if min(o.shown[0] * o.box.width, o.shown[1] * o.box.height) < settings.size - 1]
    if small:
        yield f"Smaller than {settings.size} pixels, and not enlarged: {_names(small)}."
    if turned := [o for o in seen if o.turned]:
        yield f"Turned upright, as their rotation says: {_names(turned)}."
    for transfer in ("PQ", "HLG"):
        if hdr := [o for o in seen if o.transfer == transfer]:
            yield f"HDR ({transfer}), tone-mapped: {_names(hdr)}."


def _stamps(used: list[Outcome]) -> Iterable[str]:
    if varying := [o for o in used if o.varying]:
        yield f"Variable frame rate, placed by their stamps: {_names(varying)}."
    for o in used:
        if o.sound and abs(o.sound.late) > _LATE_S:
            when = "after" if o.sound.late > 0 else "before"
            begins = f"its sound begins {abs(o.sound.late):.2f} s {when} its pictures"
            yield f"{one_line(o.name)}: {begins}; they stay aligned."


def _classes(used: list[Outcome]) -> Iterable[str]:
    classes = sorted({o.class_id for o in used} - {UNLABELLED})
    if not classes:
        yield (
            "No classes: put files into folders that are named after what sounds, such as raining, or give a table. "
            "Otherwise training groups the sounds by ear."
        )
        return
    for class_id in classes:
        members = [o for o in used if o.class_id == class_id]
        yield (
            f"Class {class_id}: {counted(len(members), 'file')}, {counted(_photos(members), 'picture')}, "
            f"{duration(_sound_seconds(members))} of sound."
        )
    if rest := [o for o in used if o.class_id == UNLABELLED]:
        yield f"Without a class: {_names(rest)}."
    if others := [c for c in classes if c not in LANDSCAPE]:
        yield (
            f"Not among the nine classes that training can draw: {', '.join(others)}. Names that mean one of them, "
            "such as rain or thunder, are taken for it; the others become classes of the world's own, seven at most. "
            f"The nine: {', '.join(LANDSCAPE)}."
        )


def _split(used: list[Outcome]) -> Iterable[str]:
    held = [o for o in used if o.split == HELD_OUT]
    if held:
        yield (
            f"Held out of training: {len(held)} of {counted(len(used), 'file')} "
            f"({counted(_photos(held), 'picture')}): {_names(held)}."
        )
    elif used:
        yield "No file is held out, so nothing tells whether pictures are memorised: give four files and more."


def _credit(made: Made) -> Iterable[str]:
    used = [(item, o) for item, o in made if not o.skipped]
    if none := [o for item, o in used if not item.licence]:
        yield (
            f"No licence is stated for {len(none)} of {counted(len(used), 'file')}: a world made of them should not be "
            "passed on. State it with --licence and --author, or in a table."
        )
    if none := [o for item, o in used if item.licence and not item.author]:
        yield f"No author is stated for {counted(len(none), 'file')}: {_names(none)}."


def _troubles(outcomes: list[Outcome], unknown: Sequence[str]) -> Iterable[str]:
    for o in outcomes:
        if o.problem:
            yield f"Read in part: {one_line(o.name)}: {one_line(o.problem)}."
    if unknown:
        names = ", ".join(one_line(name) for name in unknown[:_NAMED])
        yield f"In the table, but not in the folder: {names}{' ...' if len(unknown) > _NAMED else ''}."
    for o in outcomes:
        if o.skipped:
            yield f"Skipped: {one_line(o.name)}: {one_line(o.skipped)}."
