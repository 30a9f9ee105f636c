"""Parameters, their values, scenes and presets."""
