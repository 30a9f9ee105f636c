"""Where networks run: ONNX Runtime, OpenVINO, torch."""
