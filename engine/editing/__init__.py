"""Inversion and editing: photos, videos and texts -> base codes. Needs torch; playing a code does not."""
