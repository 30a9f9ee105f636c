"""The parameters of how sound is analysed: automatic gain, onsets, tempo and drums."""

from collections.abc import Iterator, Mapping

from .parameters import Parameter

PRIOR, THRESHOLD = 120.0, 0.22
"""Usual centre of the tempo prior in BPM, and usual confidence above which there is a beat."""
DRUMS: Mapping[str, tuple[float, float, float]] = {
    "kick": (30.0, 110.0, 0.12),
    "snare": (1200.0, 5000.0, 0.12),
    "hat": (7000.0, 16_000.0, 0.06),
}
"""Of each drum: the usual cut-off frequencies in Hz, and half-life in s."""
GATE = 0.4
"""Usual gate of each drum."""


def sound_parameters() -> Iterator[Parameter]:
    """Automatic gain, onsets, tempo and drums."""
    yield Parameter(
        "/sound/auto_gain",
        False,
        "Adjust the gain slowly to a constant loudness.",
        live=True,
    )
    yield Parameter("/sound/onset", 0.5, "Sensitivity of onset detection.")
    yield Parameter(
        "/sound/tempo",
        "heard",
        "Source of the beat: tracked in the sound (heard), tapped, or an external clock such as MIDI's (clock), with "
        "what is heard while there is none.",
        choices=("heard", "tapped", "clock"),
    )
    yield Parameter(
        "/sound/tap", False, "Tap the tempo: two taps or more; also switches the tempo to tapped.", event=True
    )
    yield Parameter("/sound/resync", False, "Set the phase of the beat to 0 now.", event=True)
    yield Parameter("/sound/tempo/x2", False, "Double the tempo, for as long as it plays.", event=True)
    yield Parameter("/sound/tempo/half", False, "Halve the tempo, for as long as it plays.", event=True)
    yield Parameter(
        "/sound/tempo/prior",
        PRIOR,
        "Tempo around which the beat is sought where several fit.",
        60.0,
        180.0,
        "BPM",
        "log",
    )
    yield Parameter("/sound/tempo/gate", THRESHOLD, "Confidence above which there is a beat.")
    for name in DRUMS:
        yield from _drum(name)


def _drum(name: str) -> Iterator[Parameter]:
    at, (low, high, smooth) = f"/sound/{name}", DRUMS[name]
    yield Parameter(f"{at}/low", low, f"Lower cut-off frequency of the {name}.", 20.0, 18_000.0, "Hz", "log")
    yield Parameter(f"{at}/high", high, f"Upper cut-off frequency of the {name}.", 20.0, 18_000.0, "Hz", "log")
    yield Parameter(f"{at}/scale", 1.0, f"Factor on the height of the {name}'s hits.", 0.0, 4.0)
    yield Parameter(f"{at}/smooth", smooth, f"Half-life of the decay of the {name}'s hits.", 0.0, 2.0, "s")
    yield Parameter(
        f"{at}/gate", GATE, f"Strength, relative to the strongest of the last seconds, from which a hit is a {name}."
    )
