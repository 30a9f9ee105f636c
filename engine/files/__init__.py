"""Files written whole or not at all, encoders and still pictures."""
