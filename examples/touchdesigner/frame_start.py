"""Execute DAT in TouchDesigner, with *Frame Start* on: a Script TOP cooks only when it is asked to."""


def onFrameStart(frame: int) -> None:  # noqa: N802 (TouchDesigner's name)
    """Cook the Script TOP called script1."""
    op("script1").cook(force=True)  # noqa: F821 # pyright: ignore[reportUndefinedVariable]
