"""What `sonorama doctor` looks at for files: the encoders of the presets."""

from __future__ import annotations

from ..engine.plugins.interfaces import Finding


def video() -> list[Finding]:
    """Which presets can be written."""
    import av
    from av.codec import codecs_available

    from .presets import PRESETS

    there = [name for name, preset in PRESETS.items() if preset.codec in codecs_available]
    found = [Finding("presets", bool(there), f"PyAV {av.__version__}: {', '.join(there)}")]
    hint = "Install PyAV from its wheel: pip install --force-reinstall --only-binary av av"
    lost = (preset for name, preset in PRESETS.items() if name not in there)
    return found + [Finding(one.name, False, f"no encoder {one.codec}", hint) for one in lost]
