"""Sound: reading files, live capture, the shared sample ring, and audio features."""
