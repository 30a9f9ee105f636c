"""Where pictures go: files, frame maps, windows."""
