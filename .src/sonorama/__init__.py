"""sonorama: sound becomes picture, live and by meaning."""

__version__ = "0.1.0"
