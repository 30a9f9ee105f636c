"""Runs in the Python of a bpy wheel: a script of `sonorama curves`, then what its object and the scene show.

Argument: the script. Writes {"curves": {name: value at each frame}, "markers": [[name, frame]]} to the last line.
"""
# pyright: reportMissingImports=false

import json
import runpy
import sys

import bpy

scene = bpy.context.scene
scene.render.fps, scene.render.fps_base = 30, 1.001
runpy.run_path(sys.argv[1])
(empty,) = [each for each in scene.objects if each.name.startswith("sonorama")]
curves: dict[str, list[float]] = {name: [] for name in empty.keys()}  # noqa: SIM118 (no mapping)
for frame in range(60):
    scene.frame_set(scene.frame_start + frame)
    for name, values in curves.items():
        values.append(empty[name])
print(json.dumps({"curves": curves, "markers": [[mark.name, mark.frame] for mark in scene.timeline_markers]}))
