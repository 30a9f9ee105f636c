"""Hostile pickles: every way in which the opcodes of a pickle can call, build or take something, and what only costs.

Run as a program, `python hostile.py FOLDER`, it reads each file of the folder as the child process of an import does,
after that child's own limits, and writes one line of JSON for each: its name, what came of it, and the highest memory.
"""

from __future__ import annotations

import json
import random
import resource
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

SIZE = 1 << 20
"""Bytes that the limits are set for."""


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def command(marker: Path) -> str:
    return f"touch {marker}"


def callables(marker: Path) -> Iterator[tuple[str, bytes]]:
    """One file for each opcode by which a pickle calls or makes something."""
    arguments = b"(" + text(command(marker)) + b"t"
    yield "global_reduce", b"\x80\x04cos\nsystem\n" + arguments + b"R."
    yield "stack_global_reduce", b"\x80\x04" + text("os") + text("system") + b"\x93" + arguments + b"R."
    yield "builtins_exec", b"\x80\x04cbuiltins\nexec\n(" + text(f"open({str(marker)!r}, 'w')") + b"tR."
    yield "builtins_eval", b"\x80\x04cbuiltins\neval\n(" + text(f"open({str(marker)!r}, 'w')") + b"tR."
    yield "getattr_chain", b"\x80\x04cbuiltins\ngetattr\n(ctorch\nload\n" + text("__globals__") + b"tR."
    yield "dotted_name", b"\x80\x04" + text("collections") + text("OrderedDict.__class__") + b"\x93(tR."
    yield "inst", b"(" + text(command(marker)) + b"ios\nsystem\n."
    yield "obj", b"(cos\nsystem\n" + text(command(marker)) + b"o."
    yield "newobj", b"\x80\x04csubprocess\nPopen\n" + arguments + b"\x81."
    yield "newobj_ex", b"\x80\x04csubprocess\nPopen\n" + arguments + b"}\x92."
    yield "newobj_of_known", b"\x80\x04ccollections\nOrderedDict\n)\x81}b."
    yield "build_class", b"\x80\x04ccollections\nOrderedDict\n(N}" + text("__init__") + b"K\x01stb."
    yield "build_record", (
        b"\x80\x04ctorch_utils.persistence\n_reconstruct_persistent_obj\n(}"
        + text("state") + b"}stR}" + text("__class__") + b"cos\nsystem\nsb."
    )  # fmt: skip
    yield "build_of_stand_in", b"\x80\x04ctorch.storage\n_load_from_bytes\n(N}" + text("__call__") + b"K\x01stb."
    for opcode, number in ((b"\x82", b"\x01"), (b"\x83", b"\x01\x00"), (b"\x84", b"\x01\x00\x00\x00")):
        yield f"ext{len(number)}", b"\x80\x04" + opcode + number + arguments + b"R."
    yield "persid", b"Ptorch\n."
    yield "binpersid", b"\x80\x04" + text("torch") + b"Q."
    inner = b"\x80\x04cos\nsystem\n" + arguments + b"R."
    yield (
        "inner_pickle",
        b"\x80\x04ctorch.storage\n_load_from_bytes\n(B" + struct.pack("<I", len(inner)) + inner + b"tR.",
    )
    yield "object_array", b"\x80\x04cnumpy\ndtype\n(" + text("O8") + b"\x89\x88tR."
    yield "next_buffer", b"\x80\x05\x97\x98."
    yield "source_only", b"\x80\x04}" + text("G_ema") + (
        b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n(}(" + text("type") + text("class")
        + text("module_src") + text(f"open({str(marker)!r}, 'w')") + text("class_name") + text("Generator")
        + text("state") + b"}utRs."
    )  # fmt: skip


def costly() -> Iterator[tuple[str, bytes]]:
    """Files that ask for memory or depth."""
    yield "oversized_bytes", b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"a."
    yield "oversized_text", b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"a."
    yield "oversized_frame", b"\x80\x04\x95" + struct.pack("<Q", 1 << 50) + b"N."
    yield "oversized_bytearray", b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b"a."
    yield "memo_bomb", b"\x80\x04Nr" + struct.pack("<I", (1 << 32) - 2) + b"."
    yield "deep_lists", b"\x80\x04" + b"]" * 500_000 + b"a" * 499_999 + b"."
    yield "deep_tuples", b"\x80\x04)" + b"\x85" * 500_000 + b"."
    doubled = b"\x80\x04)" + b"q\x00h\x00h\x00\x87" * 60  # each holds the one before three times
    yield "doubled", doubled + b"."
    modules = b"\x80\x04"
    record = b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n"
    modules += record + b"(}" + text("state") + b"}stRq\x00"
    for _ in range(11):
        children = text("_modules") + b"}(" + b"".join(text(name) + b"h\x00" for name in "abcdef") + b"u"
        modules += b"0" + record + b"(}" + text("state") + b"}" + children + b"sstRq\x00"
    yield "module_bomb", modules + b"."
    yield "long_integer", b"\x80\x04L" + b"9" * 100_000 + b"L\n."
    yield "empty", b""
    yield "stop_only", b"."
    yield "not_a_pickle", b"GIF89a" + bytes(200)
    yield "broken_zip", b"PK\x03\x04" + bytes(200)


def truncated(good: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    for i in range(count):
        yield f"cut_{i}", good[: len(good) * i // count]


def mutated(good: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """One to eight bytes of a good file changed; most of them among its opcodes, not its numbers."""
    rng = random.Random(17)
    opcodes = [i for i, byte in enumerate(good) if 32 <= byte < 127 or good[i - 1 : i] in (b"R", b"b", b"q", b"h")]
    for i in range(count):
        data = bytearray(good)
        for _ in range(rng.randint(1, 8)):
            data[rng.choice(opcodes) if rng.random() < 0.8 else rng.randrange(len(data))] = rng.randrange(256)
        yield f"mutation_{i}", bytes(data)


def read_all(folder: Path) -> None:
    from sonorama.engine.errors import WorldError
    from sonorama.plugin.worlds import reading_child

    reading_child.warm_up()
    reading_child.limit(SIZE)
    events: list[str] = []
    sys.addaudithook(lambda event, _: events.append(event) if event.startswith(reading_child.REFUSED) else None)
    reading_child.seal()
    for path in sorted(folder.iterdir()):
        before = len(events)
        try:
            reading_child.read_network(path)
            outcome = "read"
        except WorldError as error:
            outcome = f"refused: {error.message} | {error.hint}"
        except Exception as error:  # noqa: BLE001 (as the child itself)
            outcome = f"damaged: {type(error).__name__}: {error}"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        line = {"file": path.name, "outcome": outcome[:300], "events": events[before:], "peak": peak}
        sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    read_all(Path(sys.argv[1]))
