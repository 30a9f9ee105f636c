"""Options that say what is in the file besides the picture: its sound and its signature."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from .soundtrack import Audio

CERTIFICATE, KEY = "SONORAMA_SIGN_CERT", "SONORAMA_SIGN_KEY"
"""Environment variables that stand for --sign and --key."""


class Contents(TypedDict):
    """Fields of RenderJob."""

    audio: Audio | None
    sign: Path | None
    key: Path | None


def add_contents(parser: argparse.ArgumentParser) -> None:
    """The options `--audio`, `--sign` and `--key`."""
    group = parser.add_argument_group("what is in the file")
    group.add_argument(
        "--audio", choices=("copy", "pcm24", "aac", "none"),
        help="copy: the sound's own packets, as they are; default: aac in .mp4, pcm24 in all others",
    )  # fmt: skip
    group.add_argument(
        "--sign", type=Path, metavar="CERT.pem",
        help=f"sign it (C2PA) with this certificate chain; none: do not; default: ${CERTIFICATE}, or none",
    )  # fmt: skip
    group.add_argument("--key", type=Path, metavar="KEY.pem", help=f"private key of --sign; default: ${KEY}")


def contents_of(args: argparse.Namespace) -> Contents:
    """What the options ask for; the environment fills in for those that were not given."""
    if args.sign == Path("none"):
        return {"audio": args.audio, "sign": None, "key": None}
    return {"audio": args.audio, "sign": args.sign or _path(CERTIFICATE), "key": args.key or _path(KEY)}


def _path(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None
