"""A stand-in for what sonorama uses of torch.cuda, on the CPU: streams, events, captured graphs, pinned memory.

What is put on a stream happens as early or as late as the real thing allows: `eager` says of each stream, by its number
in the order in which they were made, whether it works at once, or only when somebody waits for it. A copy that waits
for too little is wrong in one of these orders. A graph records the operations themselves and repeats them on the
memory that they were recorded with; what was not replayed holds nothing of use.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from sonorama.engine.inference import cuda_graphs

Work = Callable[[], object]
_lock = threading.RLock()


class Stream:
    """Work in order. eager: whether it is done at once."""

    def __init__(self, eager: bool) -> None:
        self.eager, self.done, self.put_in = eager, 0, 0
        self._waiting: list[Work] = []

    def put(self, work: Work) -> None:
        with _lock:
            self._waiting.append(work)
            self.put_in += 1
            if self.eager:
                self.run(self.put_in)

    def run(self, until: int) -> None:
        with _lock, torch.inference_mode():
            while self.done < until:
                work = self._waiting.pop(0)
                work()
                self.done += 1

    def wait_event(self, event: Event) -> None:
        stream, number = event.stream, event.number  # as it was recorded last, not as it will be
        if stream is not None:
            self.put(lambda: stream.run(number))

    def wait_stream(self, other: Stream) -> None:
        until = other.put_in
        self.put(lambda: other.run(until))

    def synchronize(self) -> None:
        self.run(self.put_in)


class Event:
    """A place in a stream."""

    def __init__(self, blocking: bool = False, enable_timing: bool = False) -> None:
        del blocking
        self.timed, self.at = enable_timing, 0.0
        self.stream: Stream | None = None
        self.number = 0

    def record(self, stream: Stream) -> None:
        stream.put(self._passed)
        self.stream, self.number = stream, stream.put_in

    def _passed(self) -> None:
        self.at = time.perf_counter()

    def synchronize(self) -> None:
        if self.stream is not None:
            self.stream.run(self.number)

    def elapsed_time(self, other: Event) -> float:
        assert self.timed and other.timed
        return 1000 * (other.at - self.at)


class Graph:
    """Operations with the tensors that they were recorded with."""

    def __init__(self) -> None:
        self.operations: list[tuple[Any, Any, Any, Any, torch.dtype | None]] = []
        self.replays = 0

    def replay(self) -> None:
        assert self.operations, "nothing was captured"
        _current().put(self._run)

    def _run(self) -> None:
        self.replays += 1
        for func, args, kwargs, out, lower in self.operations:
            with torch.autocast("cpu", lower or torch.bfloat16, lower is not None, False):
                again = func(*args, **kwargs)
            for kept, new in zip(_tensors(out), _tensors(again), strict=True):
                if _is_fresh(kept, args, kwargs):
                    kept.copy_(new)


class _Recording(TorchFunctionMode):
    """Notes every operation that gives tensors; those that would wait for the device are refused."""

    WAITING = (Tensor.item, Tensor.tolist, Tensor.cpu, Tensor.__bool__, Tensor.__float__, Tensor.__int__)

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self._graph = graph

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        if func in self.WAITING:
            raise RuntimeError("operation not permitted when stream is capturing")
        out = func(*args, **(kwargs or {}))
        if _tensors(out):
            lower = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else None
            self._graph.operations.append((func, args, kwargs or {}, out, lower))
        return out


def _tensors(*values: Any) -> list[Tensor]:
    found = list[Tensor]()
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += _tensors(*value)
        elif isinstance(value, dict):
            found += _tensors(*value.values())
    return found


def _is_fresh(tensor: Tensor, *inputs: Any) -> bool:
    """Whether it has memory of its own: neither a view of an input nor an input that was written to."""
    return tensor.untyped_storage().data_ptr() not in {one.untyped_storage().data_ptr() for one in _tensors(*inputs)}


class _Copies(TorchFunctionMode):
    """Copies that need not wait go on the current stream."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        given = dict(kwargs or {})
        if func is Tensor.copy_ and given.pop("non_blocking", False):
            _current().put(lambda: args[0].copy_(args[1]))
            return args[0]
        return func(*args, **(kwargs or {}))


_default = Stream(eager=True)
_local = threading.local()


def _current() -> Stream:
    return getattr(_local, "stream", _default)


@contextmanager
def _on(stream: Stream) -> Iterator[None]:
    before, _local.stream = _current(), stream
    try:
        with _Copies():
            yield
    finally:
        _local.stream = before


@contextmanager
def _capturing(graph: Graph, capture_error_mode: str = "global") -> Iterator[None]:
    assert capture_error_mode == "thread_local", "another thread may be painting"
    with _Recording(graph):
        yield
    for _, args, kwargs, out, _ in graph.operations:
        for tensor in _tensors(out):
            if _is_fresh(tensor, args, kwargs):
                tensor.fill_(77)


class FakeCuda:
    """What was made. eager: whether stream number n works at once."""

    def __init__(self, eager: Callable[[int], bool]) -> None:
        self.streams: list[Stream] = []
        self.graphs: list[Graph] = []
        self._eager = eager

    def stream(self) -> Stream:
        self.streams.append(Stream(self._eager(len(self.streams))))
        return self.streams[-1]

    def synchronize(self) -> None:
        for stream in self.streams:
            stream.synchronize()

    def graph(self) -> Graph:
        self.graphs.append(Graph())
        return self.graphs[-1]


class Patch(Protocol):
    """Sets attributes, as pytest's monkeypatch does."""

    def setattr(self, target: object, name: str, value: object) -> None: ...


def install(monkeypatch: Patch, eager: Callable[[int], bool] = lambda _: False) -> FakeCuda:
    """Put it in the place of torch.cuda; devices are called `cpu` all the same."""
    fake = FakeCuda(eager)
    monkeypatch.setattr(torch.cuda, "Stream", fake.stream)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", fake.graph)
    monkeypatch.setattr(torch.cuda, "graph", _capturing)
    monkeypatch.setattr(torch.cuda, "stream", _on)
    monkeypatch.setattr(torch.cuda, "current_stream", _current)
    monkeypatch.setattr(torch.cuda, "synchronize", fake.synchronize)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _=None: "Stand-in 9000")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(cuda_graphs, "pinned", lambda like: torch.full(like.shape, 99, dtype=like.dtype))
    return fake
