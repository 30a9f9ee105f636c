"""What is said of a film: in its sidecar, in its metadata, and in its signature."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..engine.audio.audio_file import Sound
from ..engine.control.addresses import LOOK_SEED, LOOK_TEXT
from ..engine.control.pending_load import CODES
from ..engine.errors import one_line
from ..engine.files.encode import SYNTHETIC, synthetic_note
from ..engine.files.fingerprint import sha256
from ..engine.model.base_code import find_code
from ..engine.take.reader import Take
from ..engine.versions import versions
from .film import Look
from .frame_source import Played, film_values
from .provenance import Claim
from .sidecar import AS_LIVE, command_line

if TYPE_CHECKING:
    from ..engine.control.parameters import Value
    from .render import RenderJob


def values_of(job: RenderJob) -> dict[str, Value]:
    """Address -> value, those that were given."""
    short = {LOOK_SEED: job.seed, LOOK_TEXT: job.text}
    given = {**job.values, **{path: value for path, value in short.items() if value is not None}}
    return film_values(given)


def metadata_of(job: RenderJob, played: Played, take: Take | None) -> dict[str, str]:
    """For the container: the title, and a note that the picture is synthetic."""
    made = f"sonorama {versions()['sonorama']}, world {played.world} {played.version} (sha256 {played.sha256})"
    made += f", licence of the world: {one_line(played.licence)}" if played.licence else ""
    made += "" if take is None else f", from a take performed at {take.begun}"
    return synthetic_note(one_line(job.sound.stem), made)


def facts_of(
    job: RenderJob, sound: Sound, played: Played, look: Look, n_frames: int, sound_sha256: str | None
) -> dict[str, Any]:
    """For the sidecar; a film of which all of them but command and sound's path are equal is the same film."""
    return {
        "made_by": "sonorama",
        "command": command_line(job.command),
        "sound": str(job.sound),
        "sound_sha256": sound_sha256,
        "start": job.start,
        "duration": job.duration,
        "loop": job.loop,
        "samples": sound.count(job.start, job.duration, job.loop),
        "rate": sound.rate,
        "world": {"name": played.world, "version": played.version, "sha256": played.sha256},
        "licence": played.licence,
        "seed": values_of(job).get(LOOK_SEED),
        "values": values_of(job),
        **_facts_of_codes(job),
        "fps": str(job.rate),
        "frames": n_frames,
        "look_ahead": "auto" if job.look_ahead is None else job.look_ahead,
        "pre_roll": "all" if job.pre_roll == math.inf else job.pre_roll,
        "timecode": look.timecode,
        "preset": look.preset.name,
        "size": list(look.size),
        "fit": look.fit,
        **({} if job.track is None else {"track": job.track}),
        **({} if job.audio is None else {"audio": job.audio}),
        **({} if look.signing is None else {"signed": look.signing.signer.facts}),
        **({"curve": "BT.1886"} if look.preset.codec == "exr" else {}),
        "device": played.device,
        "digital_source_type": SYNTHETIC,
        "versions": versions(),
    }


def _facts_of_codes(job: RenderJob) -> dict[str, Any]:
    names = {str(value) for path, value in values_of(job).items() if path in CODES and value}
    return {"codes": [find_code(name).facts() for name in sorted(names)]} if names else {}


def facts_of_take(job: RenderJob, take: Take | None) -> dict[str, Any]:
    """Those of a take, in place of those of the same name."""
    if take is None:
        return {}
    facts = {name: said for name, said in take.facts.items() if name != "values"}
    events = sha256(take.events)
    return {
        "seed": take.facts["seed"],
        "values": take.start.values,
        "look_ahead": AS_LIVE,
        "take": facts | {"events_sha256": events},
        "clean": job.clean,
    } | ({"as_played": True} if job.as_played else {})


def claim_of(job: RenderJob, played: Played) -> Claim:
    """For the signature."""
    title, ours = one_line(job.sound.stem), versions()["sonorama"]
    return Claim(title, ours, played.world, played.version, played.sha256, played.licence)
