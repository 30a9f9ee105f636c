"""The networks of the paper, one file each; shapes and equations are in their docstrings."""
