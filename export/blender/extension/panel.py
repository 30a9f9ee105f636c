"""The tab sonorama of the sequencer's sidebar, and the entry of its Strip menu."""
# pyright: reportMissingImports=false

from __future__ import annotations

import bpy

from .operators import SonoramaCancel, SonoramaRender, State
from .strips import sequencer_scene


class SonoramaPanel(bpy.types.Panel):
    """Options of the next film, its progress, and what went wrong."""

    bl_idname = "SEQUENCER_PT_sonorama"
    bl_label = "sonorama"
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "sonorama"

    def draw(self, context: bpy.types.Context) -> None:
        """All rows."""
        layout, settings = self.layout, sequencer_scene(context).sonorama
        layout.use_property_split = True
        for name in ("world", "seed", "preset", "size"):
            layout.prop(settings, name)
        if settings.size == "CUSTOM":
            layout.prop(settings, "width")
            layout.prop(settings, "height")
        layout.operator(SonoramaRender.bl_idname, icon="RENDER_ANIMATION")
        if State.job is not None:
            draw_progress(layout)
        for line in State.error or ():
            row = layout.row()
            row.alert = True
            row.label(text=line)


def draw_progress(layout: bpy.types.UILayout) -> None:
    """How far the film is, and the button that cancels it."""
    process = State.job.process if State.job else None
    if process is None:
        return
    text = f"{process.done} of {process.total}, {process.seconds_left} s left" if process.total else "Starting"
    row = layout.row()
    row.progress(factor=process.done / (process.total or 1), text=text)
    row.operator(SonoramaCancel.bl_idname, text="", icon="CANCEL")


def draw_menu(menu: bpy.types.Menu, _context: bpy.types.Context) -> None:
    """The entry of the menu."""
    menu.layout.separator()
    menu.layout.operator(SonoramaRender.bl_idname)
