"""A stand-in for what a script uses of TouchDesigner, by its documentation: names that it lacks, or values that it
refuses, raise.
"""

import re
from fnmatch import fnmatchcase
from types import FunctionType, SimpleNamespace
from typing import Any

NAME = re.compile(r"[A-Z][a-z0-9]*")
"""Of a custom parameter (Custom Parameters: a capital, the rest in lower case, no underscores)."""


class Par:
    """A custom parameter (Par Class). Its value has the type of its style; numbers are clamped."""

    __slots__ = (
        "_val",
        "clampMax",
        "clampMin",
        "default",
        "help",
        "label",
        "max",
        "menuLabels",
        "menuNames",
        "min",
        "name",
        "normMax",
        "normMin",
        "page",
        "style",
    )  # fmt: skip

    def __init__(self, name: str, label: str, style: str, page: str) -> None:
        self.name, self.label, self.style, self.page = name, label, style, page
        self.min, self.max, self.normMin, self.normMax = 0.0, 1.0, 0.0, 1.0
        self.clampMin = self.clampMax = False
        self.menuNames: list[str] = []
        self.menuLabels: list[str] = []
        self.default: Any = None
        self.help = ""
        self._val: Any = "" if style == "Str" else 0

    @property
    def val(self) -> Any:
        return self._val

    @val.setter
    def val(self, value: Any) -> None:
        match self.style:
            case "Menu":
                assert value in self.menuNames, (self.name, value)
                self._val = value
            case "Str":
                assert isinstance(value, str)
                self._val = value
            case "Toggle":
                self._val = bool(value)
            case "Pulse":
                raise AssertionError("a pulse holds no value")
            case _:
                assert isinstance(value, int if self.style == "Int" else int | float)
                value = max(value, self.min) if self.clampMin else value
                self._val = min(value, self.max) if self.clampMax else value

    def eval(self) -> Any:
        return self._val

    @property
    def menuIndex(self) -> int:  # noqa: N802
        return self.menuNames.index(self._val)


class Page:
    """A page of custom parameters (Page Class); `append...` returns a group of one parameter."""

    def __init__(self, owner: "Op", name: str) -> None:
        self.name, self._owner = name, owner

    def _append(self, name: str, label: str | None, style: str) -> tuple[Par]:
        assert NAME.fullmatch(name) and not name[-1].isdigit(), name
        assert name not in self._owner.custom, f"{name} twice"
        made = self._owner.custom[name] = Par(name, label or name, style, self.name)
        return (made,)

    def appendFloat(self, name: str, *, label: str | None = None, size: int = 1) -> tuple[Par]:  # noqa: N802
        assert size == 1
        return self._append(name, label, "Float")

    def appendInt(self, name: str, *, label: str | None = None, size: int = 1) -> tuple[Par]:  # noqa: N802
        assert size == 1
        return self._append(name, label, "Int")

    def appendToggle(self, name: str, *, label: str | None = None) -> tuple[Par]:  # noqa: N802
        return self._append(name, label, "Toggle")

    def appendMenu(self, name: str, *, label: str | None = None) -> tuple[Par]:  # noqa: N802
        return self._append(name, label, "Menu")

    def appendStr(self, name: str, *, label: str | None = None) -> tuple[Par]:  # noqa: N802
        return self._append(name, label, "Str")

    def appendPulse(self, name: str, *, label: str | None = None) -> tuple[Par]:  # noqa: N802
        return self._append(name, label, "Pulse")


class _Pars:
    """The built-in parameters of an operator; others cannot be set."""

    def __init__(self, **known: Any) -> None:
        self.__dict__.update(known)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.__dict__:
            raise AttributeError(f"there is no parameter {name}")
        self.__dict__[name] = value


class Op:
    """An operator in a network."""

    def __init__(self, name: str, owner: "Op | None") -> None:
        self.name, self._owner = name, owner
        self.children: dict[str, Op] = {}
        self.custom: dict[str, Par] = {}
        self._stored: dict[str, Any] = {}

    def parent(self) -> "Op | None":
        return self._owner

    def op(self, name: str) -> "Op | None":
        return self.children.get(name)

    def create(self, kind: "type[Op]", name: str) -> Any:
        """A new operator; a name that is taken gets a number."""
        free = [name, *(f"{name}{number}" for number in range(1, 100))]
        name = next(one for one in free if one not in self.children)
        made = self.children[name] = kind(name, self)
        return made

    def appendCustomPage(self, name: str) -> Page:  # noqa: N802
        return Page(self, name)

    def store(self, key: str, value: Any) -> Any:
        self._stored[key] = value
        return value

    def fetch(self, key: str) -> Any:
        return self._stored[key]


class BaseComp(Op):
    """baseCOMP."""


class OscOutDat(Op):
    """oscoutDAT."""

    def __init__(self, name: str, owner: Op | None) -> None:
        super().__init__(name, owner)
        self.par = _Pars(active=True, protocol="msging", address="localhost", port=10000, localaddress="")
        self.sent: list[tuple[str, list[Any]]] = []

    def sendOSC(self, address: str, values: list[Any]) -> int:  # noqa: N802
        assert address.startswith("/") and isinstance(values, list)
        assert all(type(value) in (int, float, str) for value in values)
        self.sent.append((address, values))
        return 1


class ParameterExecuteDat(Op):
    """parameterexecuteDAT: its text is run when a parameter changes."""

    def __init__(self, name: str, owner: Op | None) -> None:
        super().__init__(name, owner)
        self.text = ""
        self.par = _Pars(
            active=False, op=None, pars="", valuechange=False, valueschanged=False, onpulse=False, custom=False,
            builtin=True,
        )  # fmt: skip

    def _runs(self, par: Par) -> bool:
        pars = self.par.__dict__
        watched = isinstance(pars["op"], Op) and pars["op"].custom.get(par.name) is par
        return watched and pars["active"] and pars["custom"] and fnmatchcase(par.name, pars["pars"])

    def _module(self) -> SimpleNamespace:
        owner = self._owner
        assert owner is not None
        names: dict[str, Any] = {"op": owner.op, "parent": lambda: owner, "me": self}
        FunctionType(compile(self.text, self.name, "exec"), names)()  # as TouchDesigner runs the text of a DAT
        return SimpleNamespace(**names)

    def change(self, par: Par, value: Any) -> None:
        """Somebody moves a parameter."""
        before, par.val = par.val, value
        if self._runs(par) and self.par.__dict__["valuechange"] and par.val != before:
            self._module().onValueChange(par, before)

    def pulse(self, par: Par) -> None:
        """Somebody clicks on a pulse."""
        assert par.style == "Pulse"
        if self._runs(par) and self.par.__dict__["onpulse"]:
            self._module().onPulse(par)


def run_script(text: str) -> Op:
    """Run Script of a Text DAT; returns the component around it."""
    around = BaseComp("project1", None)
    me = around.create(Op, "text1")
    names: dict[str, Any] = {
        "me": me, "op": around.op, "parent": lambda: around, "baseCOMP": BaseComp, "oscoutDAT": OscOutDat,
        "parameterexecuteDAT": ParameterExecuteDat,
    }  # fmt: skip
    FunctionType(compile(text, "text1", "exec"), names)()  # as TouchDesigner runs the text of a DAT
    return around
