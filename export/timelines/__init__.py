"""Timelines beside a film, for editing programs: OpenTimelineIO, CMX 3600, Final Cut Pro 7 XML, MLT XML."""
