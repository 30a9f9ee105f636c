"""What a knob does whose parameter was set by somebody else meanwhile: jump, wait (pick-up) or scale."""

from __future__ import annotations


class Takeover:
    """The takeover of one absolute control. Positions are 0 to 1."""

    def __init__(self) -> None:
        self._at: float | None = None
        self._held = False

    def release(self) -> None:
        """The parameter was set by somebody else."""
        self._held = False

    def moved(self, position: float, current: float, mode: str, near: float) -> float | None:
        """Where the parameter goes when the control moves; None: it stays.

        Args:
            position: of the control now.
            current: of the parameter now.
            mode: `none`: the parameter jumps to the control. `pick-up`: it stays until the control passes it. `scale`:
                it moves as far towards its end as the control does, in parts of the way that is left.
            near: distance at which the two count as equal.

        """
        before, self._at = self._at, position
        if mode == "none" or self._held or abs(position - current) <= near:
            self._held = True
            return position
        if mode == "scale":
            return current if before is None else _scaled(before, position, current)
        self._held = before is not None and (before - current) * (position - current) <= 0
        return position if self._held else None


def _scaled(before: float, position: float, current: float) -> float:
    """The end that both move to is reached by both at once."""
    if position > before:
        return current + (position - before) * (1 - current) / (1 - before)
    return current - (before - position) * current / before if before > 0 else current
