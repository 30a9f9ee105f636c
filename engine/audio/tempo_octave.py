"""Doubles or halves the tracked tempo where a player says that the beat is another octave of it.

Trackers confuse 87 and 174 BPM: music has both periods. The player's choice holds for as long as that tempo plays, also
through breaks and while the tracker itself jumps an octave; music of another tempo begins without it.
"""

from __future__ import annotations

SLOWEST, FASTEST = 30.0, 360.0
"""Range that doubling and halving may lead to, in beats per minute."""
SAME = 1.12
"""Ratio of two tempi up to which they count as the same: the range of a turntable's pitch fader."""
_OCTAVES = (0, 1, -1, 2, -2)


class TempoOctave:
    """How many octaves the beat is above the tracked one.

    Attributes:
        octave: power of two by which the tracked tempo is multiplied.
        wanted: the player's tempo in BPM; 0 while the tracked tempo is used as it is.

    """

    def __init__(self) -> None:
        self.octave = 0
        self.wanted = 0.0

    def shift(self, octaves: int, tracked: float) -> bool:
        """Go up or down by `octaves` from a tracked tempo in BPM; False without a beat or beyond the range."""
        tempo = tracked * 2.0 ** (self.octave + octaves)
        if not tracked or not SLOWEST <= tempo <= FASTEST:
            return False
        self.octave += octaves
        self.wanted = tempo if self.octave else 0.0
        return True

    def follow(self, tracked: float) -> None:
        """Choose the octave of a tracked tempo in BPM that leads to the player's, if one does."""
        if not self.wanted or not tracked:
            return
        for octave in _OCTAVES:
            tempo = tracked * 2.0**octave
            if 1 / SAME < tempo / self.wanted < SAME:
                self.octave, self.wanted = octave, tempo
                return
        self.octave = 0  # another tempo; the player's is kept for when it comes back
