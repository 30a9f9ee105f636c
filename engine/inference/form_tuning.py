"""Which form of the generator's convolutions is fastest on a device: measured when a world is first opened there, then
remembered in the graph cache folder. A cache is never a must: what is missing or spoilt is measured again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import SonoramaError, one_line_error
from ..files.atomic import write_bytes
from ..files.folders import cache_folder
from ..model.generator_fused import Form

log = logging.getLogger(__name__)
VERSION = 1
"""Raise it when a form is added or computed otherwise."""
LONGEST = 100_000
"""Bytes of a file that is read."""


@dataclass(frozen=True)
class TuningKey:
    """What a measurement holds for. device: its name. torch: version. world: the hash of its content."""

    device: str
    torch: str
    world: str

    @property
    def file(self) -> Path:
        """Where the fastest form is remembered."""
        key = hashlib.sha256(json.dumps([VERSION, *asdict(self).values()]).encode()).hexdigest()[:32]
        return cache_folder() / "graphs" / f"form-{key}.json"


def tuned_form(key: TuningKey, forms: Sequence[Form], milliseconds: Callable[[Form], float]) -> Form:
    """The fastest of some forms.

    Args:
        key: what it is asked for.
        forms: to choose from; the first one where none can be measured.
        milliseconds: measures a form. RuntimeError, as of a device without room, counts as never ready.

    """
    if (found := _remembered(key, forms)) is not None:
        return found
    measured = {form: _tried(form, milliseconds) for form in forms}
    fastest = min(forms, key=lambda form: measured[form])
    if math.isinf(measured[fastest]):
        return fastest
    figures = {str(form): round(ms, 3) for form, ms in measured.items() if math.isfinite(ms)}
    log.info("The fastest form on %s: %s; milliseconds a picture: %s", key.device, fastest, figures)
    told = {"version": VERSION, **asdict(key), "form": asdict(fastest), "milliseconds": figures}
    try:
        key.file.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(key.file, json.dumps(told, indent=1).encode())
    except (OSError, SonoramaError) as error:
        log.info("The fastest form is not remembered: %s", one_line_error(error))
    return fastest


def _tried(form: Form, milliseconds: Callable[[Form], float]) -> float:
    try:
        return milliseconds(form)
    except RuntimeError as error:
        log.info("The form %s cannot be measured: %s", form, one_line_error(error))
        return math.inf


def _remembered(key: TuningKey, forms: Sequence[Form]) -> Form | None:
    """What was measured before; None where nothing usable is found."""
    try:
        if key.file.stat().st_size > LONGEST:
            return None
        told: Any = json.loads(key.file.read_text("utf-8"))
        if {name: told[name] for name in asdict(key)} != asdict(key) or told["version"] != VERSION:
            return None
        found = Form(str(told["form"]["modulation"]), str(told["form"]["up"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if found in forms else None
