"""What the user sets: of each film, kept with the scene, and of this computer, in the add-on's preferences."""
# pyright: reportMissingImports=false, reportInvalidTypeForm=false

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

# Name of the preset -> suffix of the film, and what is shown. sonorama has more that Blender does not read.
PRESETS = {
    "h264": (".mp4", "H.264", "8 bit, small, for previews"),
    "h264-10bit": (".mp4", "H.264 10 bit", "10 bit, small"),
    "hevc-10bit": (".mp4", "HEVC 10 bit", "10 bit, smaller"),
    "prores-422hq": (".mov", "ProRes 422 HQ", "10 bit, for editing"),
    "prores-4444": (".mov", "ProRes 4444", "10 bit without chroma subsampling, for editing"),
    "dnxhr-hqx": (".mov", "DNxHR HQX", "10 bit, for editing"),
    "ffv1": (".mkv", "FFV1", "16 bit, lossless"),
    "av1": (".mp4", "AV1", "10 bit, smallest"),
}
_SIZES = (
    ("SCENE", "Scene", "The resolution at which the scene is rendered"),
    ("WORLD", "World", "The world's own size, which is the quickest"),
    ("CUSTOM", "Custom", "Another width and height"),
)


class SonoramaSettings(bpy.types.PropertyGroup):
    """Options of the next film."""

    world: StringProperty(
        name="World", default="", description="Name or file of a world; empty: sonorama's default (sonorama worlds)"
    )
    seed: IntProperty(name="Seed", default=0, min=0, description="Seed of the picture that the sound moves")
    preset: EnumProperty(
        name="Preset", items=[(name, label, about) for name, (_, label, about) in PRESETS.items()], default="h264"
    )
    size: EnumProperty(name="Size", items=_SIZES, default="SCENE")
    width: IntProperty(name="Width", default=1280, min=16, max=8192, subtype="PIXEL")
    height: IntProperty(name="Height", default=720, min=16, max=8192, subtype="PIXEL")


class SonoramaPreferences(bpy.types.AddonPreferences):
    """Where sonorama is, and where films go."""

    bl_idname = __package__

    program: StringProperty(
        name="sonorama", subtype="FILE_PATH", default="",
        description="The program sonorama, such as .venv/bin/sonorama; empty: the one on the PATH",
    )  # fmt: skip
    folder: StringProperty(
        name="Films", subtype="DIR_PATH", default="",
        description="Folder of films; empty: the folder sonorama beside the project",
    )  # fmt: skip

    def draw(self, _context: bpy.types.Context) -> None:
        """The rows of the preferences."""
        self.layout.prop(self, "program")
        self.layout.prop(self, "folder")


def preferences(context: bpy.types.Context) -> SonoramaPreferences:
    """Of this add-on."""
    return context.preferences.addons[__package__].preferences


def film_size(scene: bpy.types.Scene) -> tuple[int, int] | None:
    """(width, height) in pixels; None: the world's own."""
    settings, render = scene.sonorama, scene.render
    if settings.size == "WORLD":
        return None
    if settings.size == "CUSTOM":
        return settings.width, settings.height
    percent = render.resolution_percentage
    return render.resolution_x * percent // 100, render.resolution_y * percent // 100
