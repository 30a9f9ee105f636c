"""The log of a show: one rotating file for all of its processes."""
