"""Sources, sinks and bridges that fill the engine's Protocols."""
