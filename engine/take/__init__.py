"""Takes: a performance on the disk, written and read."""
