"""F_a by distillation: a small network learns on unlabelled sound what a large teacher says of it."""
