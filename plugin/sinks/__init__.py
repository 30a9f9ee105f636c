"""Sinks, which output pictures: recordings, image files, frame maps and windows."""
