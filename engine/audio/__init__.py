"""Sound: files, the live sample ring, and what is measured in it."""
