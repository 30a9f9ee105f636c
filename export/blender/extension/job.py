"""The film that is being made for a strip, from the options to the strip above it. One at a time."""
# pyright: reportMissingImports=false

from __future__ import annotations

from pathlib import Path

import bpy

from .render_process import FilmOptions, RenderError, RenderProcess, film_path, find_sonorama
from .settings import PRESETS, film_size, preferences
from .strips import active_sound, add_film, find_strip, rate, sequencer_scene, sound_file, sound_start


class Job:
    """A film that is being made for a sound strip.

    Names stand for scene and strip, whose memory may move when the user undoes something.
    """

    def __init__(self, context: bpy.types.Context) -> None:
        """Start it. Raises RenderError if it cannot be made."""
        scene = sequencer_scene(context)
        strip = active_sound(scene)
        options = film_options(context, scene, strip)
        self.scene: str | None = scene.name
        self.strip, self.film, self.frames = strip.name, options.out, options.frames
        self.process = RenderProcess(find_sonorama(preferences(context).program), options.arguments())

    def finish(self) -> bpy.types.Strip:
        """Wait for the film and place it where the sound strip is now.

        Raises:
            RenderError: there is no film, or no strip any more that it belongs to.

        """
        self.process.result()
        scene = bpy.data.scenes.get(self.scene) if self.scene else None
        sound = find_strip(scene, self.strip) if scene and scene.sequence_editor else None
        if scene is None or sound is None:
            raise RenderError(f"The strip {self.strip} is gone", f"Its film was made: {self.film}")
        return add_film(scene, sound, self.film, self.frames)


def film_options(context: bpy.types.Context, scene: bpy.types.Scene, strip: bpy.types.Strip) -> FilmOptions:
    """What to make for a sound strip. Raises RenderError."""
    sound, fps, settings = sound_file(strip), rate(scene), scene.sonorama
    return FilmOptions(
        sound=sound,
        start=sound_start(strip, fps),
        frames=strip.frame_final_duration,
        fps=fps,
        out=film_path(film_folder(context), sound.stem, PRESETS[settings.preset][0]),
        world=settings.world.strip(),
        seed=settings.seed,
        preset=settings.preset,
        size=film_size(scene),
    )


def film_folder(context: bpy.types.Context) -> Path:
    """The folder of the preferences, made if need be. Raises RenderError."""
    folder = preferences(context).folder or "//sonorama"
    if folder.startswith("//") and not bpy.data.filepath:
        raise RenderError("This project has no folder yet", "Save it, or choose a folder in the add-on's preferences.")
    path = Path(bpy.path.abspath(folder))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"The folder {path} cannot be made: {error.strerror}"
        raise RenderError(what, "Choose another one in the add-on's preferences.") from error
    return path
