"""Stage 0: the generator, grown on whole pictures, then on windows of its upper blocks."""
