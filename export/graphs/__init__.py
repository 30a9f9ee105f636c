"""A world's networks as ONNX graphs for other programs: `sonorama export`."""
