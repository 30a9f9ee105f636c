"""Finished files for other programs: films, sequences, graphs."""
