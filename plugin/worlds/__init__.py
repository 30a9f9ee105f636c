"""Worlds made of other programs' files: StyleGAN generators of NVIDIA and rosinality, read without running them."""
