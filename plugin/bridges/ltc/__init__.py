"""Linear timecode on a channel of the show's input, as a bridge."""
