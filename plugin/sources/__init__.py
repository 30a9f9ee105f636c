"""Where sound comes from: microphones, what the computer plays, files, a test tone."""
