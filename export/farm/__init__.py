"""Pictures of one film painted by several processes or machines (`--jobs`, `--ray`): the same film, to the bit."""
