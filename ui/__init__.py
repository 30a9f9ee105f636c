"""The panel and the output window (PyQt6). Imports no torch."""
