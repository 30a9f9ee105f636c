"""sonorama for Blender: films of sound strips in the Video Sequence Editor. Runs the program `sonorama render`."""
# pyright: reportMissingImports=false

import bpy
from bpy.props import PointerProperty

from . import operators, panel, settings

_CLASSES = (
    settings.SonoramaSettings,
    settings.SonoramaPreferences,
    operators.SonoramaRender,
    operators.SonoramaCancel,
    panel.SonoramaPanel,
)


def register() -> None:
    """Blender calls it when the add-on is switched on."""
    for each in _CLASSES:
        bpy.utils.register_class(each)
    bpy.types.Scene.sonorama = PointerProperty(type=settings.SonoramaSettings)
    bpy.types.SEQUENCER_MT_strip.append(panel.draw_menu)
    bpy.app.handlers.load_pre.append(operators.forget_strip)


def unregister() -> None:
    """Blender calls it when the add-on is switched off, and when it quits."""
    operators.stop()
    bpy.app.handlers.load_pre.remove(operators.forget_strip)
    bpy.types.SEQUENCER_MT_strip.remove(panel.draw_menu)
    del bpy.types.Scene.sonorama
    for each in reversed(_CLASSES):
        bpy.utils.unregister_class(each)
