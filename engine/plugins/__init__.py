"""How sinks and sources are described, found and opened."""
