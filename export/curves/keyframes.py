"""Curves as keyframes: a script for After Effects (ExtendScript, which is ECMAScript 3), and one for Blender."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...engine.pipeline.sound_curves import SoundCurves
from .markers import markers
from .tables import facts

_AFTER_EFFECTS = """\
// Curves of a sound, made by sonorama. In After Effects: File > Scripts > Run Script File.
// Adds a null with one slider a curve to the open composition (a new one where none is open), and markers.
(function () {
    var data = %s;
    var seconds = Math.min(data.frames * data.rate[1] / data.rate[0], 10800); // of a composition at most
    var at = [];
    var i;

    function time(frame) {
        return frame * data.rate[1] / data.rate[0];
    }

    function composition() {
        var item = app.project.activeItem;
        if (item instanceof CompItem) {
            return item;
        }
        return app.project.items.addComp(data.name, 1920, 1080, 1, seconds, Math.min(data.rate[0] / data.rate[1], 99));
    }

    function addSlider(layer, name, values) {
        var effect = layer.property("ADBE Effect Parade").addProperty("ADBE Slider Control");
        effect.name = name;
        effect.property("ADBE Slider Control-0001").setValuesAtTimes(at, values);
    }

    function addMarkers(layer, texts) {
        var markers = layer.property("ADBE Marker");
        var frame;
        for (frame in texts) {
            if (texts.hasOwnProperty(frame)) {
                markers.setValueAtTime(time(Number(frame)), new MarkerValue(texts[frame]));
            }
        }
    }

    app.beginUndoGroup("sonorama curves");
    try {
        var layer = composition().layers.addNull(seconds);
        layer.name = data.name;
        for (i = 0; i < data.frames; i += 1) {
            at.push(time(i));
        }
        for (i = 0; i < data.names.length; i += 1) {
            addSlider(layer, data.names[i], data.values[i]);
        }
        addMarkers(layer, data.markers);
    } finally {
        app.endUndoGroup();
    }
}());
"""

_BLENDER = '''\
"""Curves of a sound, made by sonorama. In Blender: Scripting workspace, Text > Open, Run Script; or blender -P FILE.

Adds an empty with one animated custom property a curve, and markers to the scene. Frame 0 of the curves is the scene's
first frame; at another frame rate of the scene the keys keep their times.
"""

import json

import bpy

DATA = json.loads(
    %s
)


def add_curves(data):
    scene = bpy.context.scene
    numerator, denominator = data["rate"]
    step = scene.render.fps / scene.render.fps_base * denominator / numerator
    empty = bpy.data.objects.new(data["name"], None)
    scene.collection.objects.link(empty)
    for name, values in zip(data["names"], data["values"]):
        path = '["%%s"]' %% bpy.utils.escape_identifier(name)
        for frame, value in enumerate(values):
            empty[name] = value
            empty.keyframe_insert(data_path=path, frame=scene.frame_start + frame * step)
    for frame, text in data["markers"].items():
        scene.timeline_markers.new(text, frame=scene.frame_start + round(int(frame) * step))
    return empty


add_curves(DATA)
'''


def _data(curves: SoundCurves, about: Mapping[str, Any], name: str) -> str:
    named = facts(curves, about)["curves"]
    data = {
        **about,
        "name": name,
        "rate": [curves.fps.numerator, curves.fps.denominator],
        "frames": curves.frames,
        "names": list(named),
        "values": list(named.values()),
        "markers": {str(one.frame): one.name for one in markers(curves)},
    }
    return json.dumps(data)  # in ASCII, and as such an expression of ECMAScript 3 too


def as_after_effects(curves: SoundCurves, about: Mapping[str, Any], name: str) -> bytes:
    """A .jsx; name: of the layer."""
    return (_AFTER_EFFECTS % _data(curves, about, name)).encode()


def as_blender(curves: SoundCurves, about: Mapping[str, Any], name: str) -> bytes:
    """A .py; name: of the object."""
    return (_BLENDER % json.dumps(_data(curves, about, name))).encode()
