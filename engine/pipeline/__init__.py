"""From samples and changes to style codes, frame by frame; deterministic."""
