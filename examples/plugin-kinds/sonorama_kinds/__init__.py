"""One plug-in for sonorama of every kind."""
