"""Sources of sound: inputs, loopback of the computer's output, files, a test tone and silence."""
