"""The panel's widgets: controls of parameters, meters, and their painting."""
