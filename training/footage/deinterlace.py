"""Deinterlaces the frames of a video with FFmpeg's bwdif, one picture a frame."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction

from av.error import BlockingIOError as NotYet
from av.filter import Graph
from av.video.frame import VideoFrame

_CLOCK = Fraction(1, 90000)


def deinterlaced(frames: Iterator[tuple[Fraction, VideoFrame]]) -> Iterator[tuple[Fraction, VideoFrame]]:
    """(time in s, frame) -> the same times, with pictures of whole height; progressive frames pass through."""
    graph: Graph | None = None
    for time, frame in frames:
        frame.pts, frame.time_base = round(time / _CLOCK), _CLOCK
        graph = graph or _graph(frame)
        graph.push(frame)
        yield from _ready(graph)
    if graph is not None:
        graph.push(None)
        yield from _ready(graph)


def _graph(frame: VideoFrame) -> Graph:
    graph = Graph()
    first = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, name=None, time_base=_CLOCK)
    chain = [first, graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink")]
    for a, b in itertools.pairwise(chain):
        a.link_to(b)
    graph.configure()
    return graph


def _ready(graph: Graph) -> Iterator[tuple[Fraction, VideoFrame]]:
    while True:
        try:
            frame = graph.pull()
        except (NotYet, EOFError):
            return
        if isinstance(frame, VideoFrame) and frame.pts is not None and frame.time_base is not None:
            yield frame.pts * frame.time_base, frame
