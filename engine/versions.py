"""What hears, paints and encodes here, for notes in files."""

from importlib import metadata

_DISTRIBUTIONS = ("sonorama", "torch", "onnxruntime", "onnxruntime-gpu", "openvino", "av", "numpy")


def versions() -> dict[str, str]:
    """Versions as installed; nothing is imported."""
    found: dict[str, str] = {}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
