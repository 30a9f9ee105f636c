"""Training data: photos, recordings, procedural pictures and sounds, captions, clips."""
