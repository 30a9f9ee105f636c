"""What is heard in a sound, frame by frame, for other programs: tables and keyframes."""
