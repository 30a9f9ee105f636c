"""Controllers of other programs, generated from the parameter table: TouchOSC, Max for Live, Bitfocus Companion,
TouchDesigner.
"""
