"""The file of MIDI mappings: readable JSON, which is never lost.

It is written atomically and its last ten versions are kept (engine/control/presets.py). What somebody else wrote since
it was read (an editor, another show of the same name) is read before anything is written; a file that cannot be read
is renamed, not replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from sonorama.engine.control import presets
from sonorama.engine.control.parameters import Parameter
from sonorama.engine.errors import OutputError, SonoramaError, ValueRefused
from sonorama.engine.files.atomic import names_after, rename_new

from .decoder import Control
from .mapping import Mapped, Mapping

FORMAT = "sonorama-midi"
LARGEST = 1 << 20


class _Page(msgspec.Struct):
    format: str
    mappings: list[msgspec.Raw]


class MappingFile:
    """The mappings of the shows of one name.

    Args:
        path: of the file; need not exist.
        find: gives the parameter of an address, which may name a class; None where there is none.

    Attributes:
        mapped: the mappings in use.
        faults: what is wrong with the file, one line each.

    """

    def __init__(self, path: Path, find: Callable[[str], Parameter | None]) -> None:
        self.path, self._find = path, find
        self.mapped: list[Mapped] = []
        self._by_control: dict[Control, list[Mapped]] | None = None
        self.faults: list[str] = []
        self._entries: list[msgspec.Raw] = []  # as they stand in the file, also those not in use
        self._seen: bytes | None = None
        self._is_empty = self._is_unreadable = False
        self.read()

    def of(self, control: Control) -> list[Mapped]:
        """The mappings of a control, of all ports."""
        if self._by_control is None:
            self._by_control = {}
            for mapped in self.mapped:
                self._by_control.setdefault(mapped.mapping.control, []).append(mapped)
        return self._by_control.get(control, [])

    @property
    def ports(self) -> set[str]:
        """Names of the ports that something is mapped to."""
        return {mapped.mapping.port for mapped in self.mapped} - {""}

    def read(self) -> bool:
        """Read the file, if it is another than the one that was read or written last; whether it is.

        While it cannot be read, the mappings before stay in use; so they do where it is empty or missing at one look
        only, since editors write a file anew under its name.
        """
        try:
            with self.path.open("rb") as file:
                said = file.read(LARGEST + 1)
        except FileNotFoundError:
            said = b""
        except OSError as error:
            self.faults = [f"{self.path} cannot be read: {error.strerror}. Allow it; {self._meanwhile} meanwhile"]
            self._seen = None  # it is read again, whatever it holds then
            return False
        was_empty, self._is_empty = self._is_empty, not said
        if said == self._seen or (not said and not was_empty and self.mapped):
            return False
        self._seen = said
        self._use(said)
        return True

    def _use(self, said: bytes) -> None:
        self.faults, self._is_unreadable = [], False
        try:
            entries = _entries(said)
        except (ValueError, msgspec.DecodeError) as error:
            line = f"{self.path.name} holds no MIDI mappings ({error}); mend it, or learn anew: it is kept"
            self.faults, self._is_unreadable = [f"{line}, and {self._meanwhile}"], True
            return
        self.mapped, self._entries, self._by_control = [], entries, None
        for entry in self._entries:
            try:
                self._add(msgspec.json.decode(entry, type=Mapping))
            except (ValueRefused, msgspec.DecodeError) as error:
                message = error.message if isinstance(error, SonoramaError) else str(error)
                self.faults.append(f"{self.path.name}: {bytes(entry)[:60].decode(errors='replace')}: {message}")

    @property
    def _meanwhile(self) -> str:
        return "those before play" if self.mapped else "nothing is mapped"

    def _add(self, mapping: Mapping) -> None:
        param = self._find(mapping.address)
        if param is None:
            raise ValueRefused(f"There is no parameter {mapping.address[:80]}", "See docs/osc.md")
        self.mapped.append(Mapped(mapping, param))
        self._by_control = None

    def learn(self, mapping: Mapping) -> None:
        """Add a mapping and write the file; it replaces one of the same control and address.

        Raises:
            SonoramaError: the parameter does not take it (nothing changes), or the file cannot be written (the mapping
                holds until the show ends).

        """
        param = self._find(mapping.address)
        if param is None:
            raise ValueRefused(f"There is no parameter {mapping.address[:80]}", "See docs/osc.md")
        Mapped(mapping, param)
        self.read()
        same = (mapping.address, mapping.port, mapping.control, mapping.value)
        self._change(lambda one: (one.address, one.port, one.control, one.value) == same, [mapping])

    def forget(self, address: str, value: object = None) -> int:
        """Remove the mappings of an address, or those of them that set a value, and write the file.

        Returns:
            how many there were.

        Raises:
            OutputError: the file cannot be written.

        """
        self.read()
        gone = [one for one in self.mapped if one.mapping.address == address]
        gone = [one for one in gone if value is None or one.mapping.value == value]
        mappings = [one.mapping for one in gone]
        if gone:
            self._change(lambda one: one in mappings, [])
        return len(gone)

    def _change(self, drop: Callable[[Mapping], bool], add: Iterable[Mapping]) -> None:
        add = list(add)
        self.mapped, self._by_control = [one for one in self.mapped if not drop(one.mapping)], None
        for mapping in add:
            self._add(mapping)
        if self._is_unreadable:
            self._keep_unreadable()
        self._entries = [entry for entry in self._entries if not _is(entry, drop)]
        self._entries += [msgspec.Raw(msgspec.json.encode(mapping)) for mapping in add]
        presets.save(self.path, {"format": FORMAT, "mappings": [msgspec.json.decode(one) for one in self._entries]})
        self._seen, self._is_empty = self.path.read_bytes(), False

    def _keep_unreadable(self) -> None:
        """Another name for a file that holds no mappings, before one that does takes its own."""
        for name in names_after(self.path.with_name(f"{self.path.stem}.unreadable{self.path.suffix}")):
            with suppress(FileExistsError):
                try:
                    rename_new(self.path, name)
                except FileExistsError:
                    raise
                except OSError as error:
                    message = f"{self.path.name} cannot be renamed: {error.strerror}"
                    raise OutputError(message, f"Allow writing in {self.path.parent}.") from error
                self.faults, self._is_unreadable = [], False
                return


def _entries(said: bytes) -> list[msgspec.Raw]:
    """The mappings in a file's content, as they stand there. Raises ValueError or msgspec.DecodeError."""
    if not said:
        return []
    if len(said) > LARGEST:
        raise ValueError("too large")
    page = msgspec.json.decode(said, type=_Page)
    if page.format != FORMAT:
        raise ValueError(f"format {page.format[:40]!r}")
    return list(page.mappings)


def _is(entry: msgspec.Raw, which: Callable[[Mapping], bool]) -> bool:
    try:
        return which(msgspec.json.decode(entry, type=Mapping))
    except msgspec.DecodeError:  # not ours to drop
        return False
