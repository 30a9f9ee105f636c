"""Bridges that come with sonorama: remote control by devices and network protocols."""
