"""The instrument itself: parameters, sound in, latents, frames out. Imports no Qt."""
