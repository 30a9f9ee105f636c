"""The operators: render the active sound strip, and cancel that. A timer looks for the end of the film."""
# pyright: reportMissingImports=false

from __future__ import annotations

import time

import bpy
from bpy.app.handlers import persistent

from .job import Job
from .render_process import RenderError

_LOOK_S = 0.25


class State:
    """What the panel shows: the film that is being made, and the two lines of what went wrong last."""

    job: Job | None = None
    error: tuple[str, str] | None = None


class SonoramaRender(bpy.types.Operator):
    """Starts the film of the active sound strip."""

    bl_idname = "sonorama.render_strip"
    bl_label = "Render Sound Strip with sonorama"
    bl_description = "Make a film of the active sound strip with sonorama, and place it above the strip"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """One film at a time."""
        return State.job is None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start it; without windows, such as in a script, wait for it."""
        State.error = None
        try:
            State.job = Job(context)
            if bpy.app.background:
                while State.job.process.running:
                    time.sleep(_LOOK_S)
                end()
        except RenderError as error:
            State.job, State.error = None, error.lines
            self.report({"ERROR"}, "\n".join(error.lines))
            return {"CANCELLED"}
        if State.job is not None:
            bpy.app.timers.register(look, first_interval=_LOOK_S, persistent=True)
        return {"FINISHED"}


class SonoramaCancel(bpy.types.Operator):
    """Ends the film that is being made."""

    bl_idname = "sonorama.cancel"
    bl_label = "Cancel"
    bl_description = "Stop making the film; nothing of it stays"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """End the process; the timer sees it."""
        if State.job is not None:
            State.job.process.cancel()
        return {"FINISHED"}


def end() -> None:
    """Place the film that is complete. Raises RenderError if there is none."""
    job, State.job = State.job, None
    if job is not None:
        job.finish()


def look() -> float | None:
    """The timer's function: seconds until it is called again; None once the film is placed, or cannot be."""
    redraw()
    if State.job is None:
        return None
    if State.job.process.running:
        return _LOOK_S
    cancelled = State.job.process.cancelled
    try:
        end()
        bpy.ops.ed.undo_push(message="Add film of sonorama")
    except RenderError as error:
        if not cancelled:
            State.error = error.lines
            show(error.lines)
    redraw()
    return None


def redraw() -> None:
    """Show progress in every sequencer."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "SEQUENCE_EDITOR":
                area.tag_redraw()


def show(lines: tuple[str, str]) -> None:
    """A pop-up with an error; the panel keeps showing it."""

    def draw(menu: bpy.types.Menu, _context: bpy.types.Context) -> None:
        menu.layout.label(text=lines[0])
        menu.layout.label(text=lines[1])

    manager = bpy.context.window_manager
    for window in manager.windows[:1]:  # a timer has no window of its own
        with bpy.context.temp_override(window=window):
            manager.popup_menu(draw, title="sonorama", icon="ERROR")


@persistent
def forget_strip(*_: object) -> None:
    """Another project is opened: the film is finished, but has no strip there."""
    if State.job is not None:
        State.job.scene = None


def stop() -> None:
    """End what is being made: Blender quits, or the add-on is switched off."""
    if bpy.app.timers.is_registered(look):
        bpy.app.timers.unregister(look)
    if State.job is not None:
        State.job.process.cancel()
        State.job = None
