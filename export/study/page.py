"""Builds the page of a study: one HTML file with its script and style inside, which needs no network."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from typing import Any

from .key import Key
from .plan import Plan


def build_page(plan: Plan) -> bytes:
    """The page of a study, UTF-8.

    Its content security policy admits its own script, its own style and the films beside it, and nothing else.
    """
    script, style = _template("page.js"), _template("page.css")
    policy = (
        f"default-src 'none'; script-src {_source(script)}; style-src {_source(style)}; media-src 'self' file:; "
        "base-uri 'none'; form-action 'none'"
    )
    data = json.dumps(page_data(plan.key, plan.minutes)).replace("<", "\\u003c")
    page = _template("page.html")
    for name, text in (("POLICY", policy), ("STYLE", style), ("SCRIPT", script), ("DATA", data)):
        page = page.replace(f"@{name}@", text)
    return page.encode()


def page_data(key: Key, minutes: float) -> dict[str, Any]:
    """What the page knows of the study: codes and names of films, and nothing that says which model is which."""
    return {
        "version": key.version,
        "minutes": max(1, round(minutes)),
        "size": list(key.size),
        "models": [model.code for model in key.models],
        "sounds": [{"code": s.code, "films": s.films, "reference": s.reference} for s in key.sounds],
        "soundOrders": key.sound_orders,
        "modelOrders": key.model_orders,
    }


def _template(name: str) -> str:
    return (files(__package__ or __name__) / name).read_text("utf-8")


def _source(text: str) -> str:
    """How a policy names an element whose whole text this is."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
