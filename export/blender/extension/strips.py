"""Strips of Blender's Video Sequence Editor: the part of a sound that a strip plays, and a film beside it."""
# pyright: reportMissingImports=false

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import bpy

from .render_process import RenderError

_MOST_CHANNELS = 128


def sequencer_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene that is edited; from Blender 5.0 on the sequencer may have one of its own."""
    return getattr(context, "sequencer_scene", None) or context.scene


def strips_of(owner: bpy.types.ID) -> bpy.types.bpy_prop_collection:
    """The strips of a sequence editor or a meta strip, whatever this version of Blender calls them."""
    return owner.strips if hasattr(owner, "strips") else owner.sequences


def find_strip(scene: bpy.types.Scene, name: str) -> bpy.types.Strip | None:
    """The strip of that name, within meta strips too."""
    editor = scene.sequence_editor
    everything = editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all
    return everything.get(name)


def active_sound(scene: bpy.types.Scene) -> bpy.types.Strip:
    """The strip that is selected last. Raises RenderError if it plays no sound."""
    strip = scene.sequence_editor.active_strip if scene.sequence_editor else None
    if strip is None or strip.type != "SOUND":
        raise RenderError("No sound strip is active", "Click on the sound strip that the film is for.")
    return strip


def rate(scene: bpy.types.Scene) -> Fraction:
    """Frames a second, exact: 30 with a base of 1.001 is 30000/1001."""
    return scene.render.fps / Fraction(scene.render.fps_base).limit_denominator(10_000)


def sound_file(strip: bpy.types.Strip) -> Path:
    """The file that a sound strip plays. Raises RenderError if it is not there."""
    sound = strip.sound
    path = Path(bpy.path.abspath(sound.filepath, library=sound.library)) if sound else Path()
    if not path.is_file():
        packed = sound is not None and sound.packed_file is not None
        what_to_do = "Unpack it: File > External Data > Unpack Resources." if packed else "Choose its file again."
        raise RenderError(f"The sound of {strip.name} is not a file: {path}", what_to_do)
    return path


def sound_start(strip: bpy.types.Strip, fps: Fraction) -> float:
    """The frame of the sound, not of the scene, with which a strip begins.

    Raises:
        RenderError: the strip plays faster or slower, or is longer than its sound.

    """
    if getattr(strip, "retiming_keys", None):
        raise RenderError(f"{strip.name} is retimed", "Reset its retiming, or make a sound file of it first.")
    start = strip.frame_offset_start + getattr(strip, "animation_offset_start", 0)
    start -= getattr(strip, "sound_offset", 0.0) * float(fps)
    if start < 0 or strip.frame_offset_end < 0:
        raise RenderError(f"{strip.name} is longer than its sound", "Move its handles to the ends of the sound.")
    return start


def free_channel(strips: bpy.types.bpy_prop_collection, above: int, first: int, frames: int) -> int:
    """The lowest channel above that one with nothing in these frames. Raises RenderError if none has room."""
    taken = {
        strip.channel
        for strip in strips
        if strip.frame_final_start < first + frames and first < strip.frame_final_end
    }  # fmt: skip
    for channel in range(above + 1, _MOST_CHANNELS + 1):
        if channel not in taken:
            return channel
    raise RenderError("No channel above the sound strip has room for the film", "Move the strip to a lower channel.")


def add_film(scene: bpy.types.Scene, sound: bpy.types.Strip, film: Path, frames: int) -> bpy.types.Strip:
    """A movie strip above a sound strip, from the frame on with which that begins.

    Raises:
        RenderError: no channel has room, or Blender cannot read the film.

    """
    meta = sound.parent_meta()
    strips = strips_of(meta or scene.sequence_editor)
    first = sound.frame_final_start
    channel = free_channel(strips, sound.channel, first, frames)
    path = str(film)
    if bpy.data.filepath and bpy.context.preferences.filepaths.use_relative_paths:
        path = bpy.path.relpath(path)
    try:
        return strips.new_movie(name=film.stem, filepath=path, channel=channel, frame_start=first)
    except RuntimeError as error:
        raise RenderError(f"Blender cannot read {film}", f"Choose another preset. ({error})") from error
