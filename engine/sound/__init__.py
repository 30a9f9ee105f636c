"""Live sound: sources into the sample ring, and what music does in it."""
