"""Figures of a world as it plays, beside baselines in the same run (docs/paper.md)."""
