"""Ableton Live as a bridge, through the remote script AbletonOSC."""
