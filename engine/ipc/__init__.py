"""What crosses processes: messages, and pictures in shared memory."""
