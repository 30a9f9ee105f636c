"""`sonorama blender`: writes the Blender extension, films of sound strips in the Video Sequence Editor, as a zip."""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from sonorama import __version__

from ...engine.cli.arguments import parse_out
from ...engine.errors import one_line

if TYPE_CHECKING:
    from ...engine.cli.main import Commands

_THE_SAME_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file in the zip: the same version is the same bytes."""

MANIFEST = f"""\
schema_version = "1.0.0"

id = "sonorama"
version = "{__version__}"
name = "sonorama"
tagline = "Makes a film of a sound strip: sound becomes picture"
maintainer = "The sonorama authors"
type = "add-on"
tags = ["Sequencer"]

blender_version_min = "4.2.0"

license = ["SPDX:GPL-3.0-or-later"]
copyright = ["2026 The sonorama authors"]

[permissions]
files = "Reads the sound of the strip, runs sonorama, writes films"
"""


def add_blender(commands: Commands) -> None:
    """`sonorama blender`."""
    parser = commands.add_parser("blender", help="write the extension for Blender's sequencer", allow_abbrev=False)
    parser.add_argument(
        "-o", "--out", type=parse_out, metavar="FILE.zip", default=Path(f"sonorama-blender-{__version__}.zip"),
        help="default: %(default)s",
    )  # fmt: skip
    parser.set_defaults(run=run_blender)


def run_blender(args: argparse.Namespace) -> int:
    """Write the zip and say how it is installed."""
    from ...engine.files.atomic import write_bytes

    write_bytes(args.out, extension_zip(), new=True)
    sys.stdout.write(
        f"{one_line(args.out)}: in Blender 4.2 or newer, Edit > Preferences > Get Extensions > Install from Disk\n"
    )
    return 0


def extension_zip() -> bytes:
    """The extension as Blender installs it: its manifest and its modules."""
    texts = {"blender_manifest.toml": MANIFEST}
    for module in (Path(__file__).parent / "extension").iterdir():
        if module.name.endswith(".py"):
            texts[module.name] = module.read_text(encoding="utf-8")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in sorted(texts.items()):
            entry = zipfile.ZipInfo(name, _THE_SAME_TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
