"""MIDI controllers and clock as a bridge: ports, learning, takeover, feedback."""
