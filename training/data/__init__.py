"""Training data: what is read, and what is drawn or made up."""
