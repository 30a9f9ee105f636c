"""The networks of a world as ONNX graphs, written from its tensors without torch."""
