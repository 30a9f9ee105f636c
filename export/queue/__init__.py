"""Several films by one command: a list of sounds, or whatever comes into a watched folder."""
