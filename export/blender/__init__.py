"""The Blender extension: what it is made of (extension/, which only Blender imports) and the command that packs it."""
