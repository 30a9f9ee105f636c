"""The built-in plug-ins: sources of sound and sinks for pictures, which implement the engine's Protocols."""
