"""The training stages, one module or package each."""
