"""Runs in the Python of a bpy wheel, started by test_blender.py: installs the extension and works with it.

Arguments: the zip, the program sonorama, a sound, a world, an empty folder. Writes what it saw to standard output, as
one JSON object in the last line.
"""
# pyright: reportMissingImports=false

import json
import sys
import time
from pathlib import Path
from typing import Any

import bpy

PACKAGE = "bl_ext.user_default.sonorama"
FPS, FIRST, CHANNEL = 25, 11, 2


def strips() -> Any:
    editor = bpy.context.scene.sequence_editor or bpy.context.scene.sequence_editor_create()
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def sound_strip(sound: str) -> Any:
    """The sound from its second second on, 10 frames of it, as a user trims it."""
    strip = strips().new_sound("rain", sound, CHANNEL, FIRST - FPS)
    strip.frame_final_start = FIRST
    strip.frame_final_duration = 10
    bpy.context.scene.sequence_editor.active_strip = strip
    return strip


def refused(**preferences: str) -> str:
    """What the user is told when the operator is called with these preferences."""
    own = bpy.context.preferences.addons[PACKAGE].preferences
    before = {name: getattr(own, name) for name in preferences}
    for name, value in preferences.items():
        setattr(own, name, value)
    try:
        bpy.ops.sonorama.render_strip()
    except RuntimeError as error:
        return str(error)
    finally:
        for name, value in before.items():
            setattr(own, name, value)
    return "nothing"


def errors(sound: str) -> dict[str, str]:
    """Each thing that can be wrong, and the two lines about it."""
    editor, settings = bpy.context.scene.sequence_editor, bpy.context.scene.sonorama
    strip = editor.active_strip
    told = {"no program": refused(program="/nowhere/sonorama"), "unsaved": refused(folder="")}
    settings.world = "atlantis"
    told["world"] = refused()
    settings.world = ""
    editor.active_strip = None
    told["no strip"] = refused()
    editor.active_strip = strip
    strip.frame_final_start = FIRST - 2 * FPS
    told["too long"] = refused()
    strip.frame_final_start = FIRST
    strip.frame_final_duration = 10
    strip.sound.filepath = "/nowhere/rain.wav"
    told["no sound"] = refused()
    strip.sound.filepath = sound
    return told


def place(strip: Any) -> dict[str, Any]:
    return {
        "type": strip.type, "name": strip.name, "channel": strip.channel, "first": strip.frame_final_start,
        "frames": strip.frame_final_duration,
        "film": bpy.path.abspath(strip.filepath) if strip.type == "MOVIE" else "",
    }  # fmt: skip


def pictures(folder: Path) -> list[str]:
    """The scene's frames from the strips' first to their last, as the sequencer shows them."""
    scene = bpy.context.scene
    scene.render.image_settings.file_format = "PNG"
    scene.view_settings.view_transform = "Standard"
    made: list[str] = []
    for frame in range(FIRST, FIRST + 10):
        scene.frame_set(frame)
        made.append(str(folder / f"frame-{frame}.png"))
        scene.render.filepath = made[-1]
        bpy.ops.render.render(write_still=True)
    return made


def timed(operators: Any, cancel: bool) -> dict[str, Any]:
    """As in a window: the job is started, then the timer's function is called until it wants no more."""
    operators.State.job, operators.State.error = operators.Job(bpy.context), None
    film, seen = operators.State.job.film, []
    if cancel:
        bpy.ops.sonorama.cancel()
    wait = 0.0
    while wait is not None:
        if operators.State.job is not None:
            seen.append(operators.State.job.process.done)
        time.sleep(wait)
        wait = operators.look()
    return {"film": film.exists(), "beside": len(list(film.parent.iterdir())), "seen": seen,
            "strips": len(strips()), "error": operators.State.error}  # fmt: skip


def main() -> None:
    package, program, sound, world, folder = sys.argv[1:]
    bpy.ops.extensions.package_install_files(filepath=package, repo="user_default", enable_on_install=True)
    own = bpy.context.preferences.addons[PACKAGE].preferences
    own.program, own.folder = program, f"{folder}/films/"
    operators = sys.modules[f"{PACKAGE}.operators"]
    scene = bpy.context.scene
    scene.render.fps, scene.render.resolution_x, scene.render.resolution_y = FPS, 128, 96
    scene.sonorama.seed = 3
    told: dict[str, Any] = {"version": bpy.app.version_string}
    sound_strip(sound)
    told["errors"] = errors(sound)
    scene.sonorama.world, scene.sonorama.preset = world, "prores-4444"
    told["cancelled"] = timed(operators, cancel=True)
    told["result"] = sorted(bpy.ops.sonorama.render_strip())
    told["strips"] = [place(strip) for strip in strips()]
    told["pictures"] = pictures(Path(folder))
    scene.sonorama.preset = "h264"
    told["again"] = timed(operators, cancel=False)
    told["above"] = max(strip.channel for strip in strips())
    bpy.ops.preferences.addon_disable(module=PACKAGE)
    told["disabled"] = not hasattr(bpy.types.Scene, "sonorama")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
