"""Results, each on disk as soon as it is known: JSON lines for programs, a table for people."""

from __future__ import annotations

import json
import os
from pathlib import Path

Value = str | float | bool


class Report:
    """Appends to rows.jsonl and table.txt in a folder, and prints."""

    def __init__(self, out: Path) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self._rows, self._table = (out / "rows.jsonl").open("a"), (out / "table.txt").open("a")
        self.failed = 0

    def add(self, kind: str, line: str, **values: Value) -> None:
        """One row. kind: of row. line: for people."""
        for file, text in ((self._rows, json.dumps({"kind": kind, **values})), (self._table, line)):
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        print(line, flush=True)

    def check(self, name: str, figure: float, limit: float) -> None:
        """A figure that must be at most the limit."""
        passed = figure <= limit
        self.failed += not passed
        word = "ok" if passed else "FAILED"
        self.add(
            "check", f"{word:7}{figure:9.2g} of {limit:7.2g}  {name}", name=name, figure=figure, limit=limit, ok=passed
        )

    def close(self) -> None:
        """No more rows."""
        self._rows.close()
        self._table.close()
