"""The house rules that no linter knows, on every tracked file."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

LIBRARY = ("engine", "plugin", "ui", "export", "training", ".src")
MAX_FILE, MAX_FUNCTION = 400, 60
FORBIDDEN_CALLS = {"eval", "exec", "pickle.load", "pickle.Unpickler"}
# A test of hostile files has to see that its own one would have gone off.
LIBRARY_CALLS = {"print", "pickle.loads"}
LAST_NAMES = {name.split(".")[-1] for name in (*FORBIDDEN_CALLS, *LIBRARY_CALLS, "torch.load")}
ERRORS = ("SonoramaError", "InputError", "OutputError", "ValueRefused", "WorldError")
# Each written so that the pattern does not find itself.
ADDRESSES = re.compile(
    r"(?<![\w.])/(?:wor[k]|far[m]|roo[t])/|(?<![\w.])/hom[e]/\w"
    r"|pyp[i]\.org|pythonhoste[d]|registry\.npm[j]s|deb\.debia[n]\.org"
)


def called(call: ast.Call, library: bool) -> Iterator[str]:
    last = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if last not in LAST_NAMES:
        return
    name = ast.unparse(call.func)  # slow
    if name in FORBIDDEN_CALLS or (library and name in LIBRARY_CALLS):
        yield f"{call.lineno}: {name}()"
    if name == "torch.load" and not any(
        word.arg == "weights_only" and ast.unparse(word.value) == "True" for word in call.keywords
    ):
        yield f"{call.lineno}: torch.load without weights_only=True"


def advice(call: ast.Call) -> Iterator[str]:
    """An error's second line is a sentence, or a command."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    told = call.args[1] if name in ERRORS and len(call.args) > 1 else None
    told = told.values[0] if isinstance(told, ast.JoinedStr) else told
    text = told.value if isinstance(told, ast.Constant) else None
    if isinstance(text, str) and text[:1].islower() and not text.startswith(("pip install ", "sonorama ")):
        yield f"{call.lineno}: advice without a capital: {text}"


def python_faults(source: str, library: bool) -> Iterator[str]:
    """`line: what is wrong` for one file's source."""
    if source.count("\n") > MAX_FILE:
        yield f"1: {source.count(chr(10))} lines (none past {MAX_FILE})"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield from called(node, library)
            yield from advice(node) if library else ()
        elif isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"{node.lineno}: bare except"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION:
                yield f"{node.lineno}: {node.name} has {lines} lines (none past {MAX_FUNCTION})"


def test_python_files_keep_the_rules(root: Path, tracked: list[str]) -> None:
    faults = [
        f"{name}:{fault}"
        for name in tracked
        if name.endswith(".py")
        for fault in python_faults((root / name).read_text(), name.split("/")[0] in LIBRARY)
    ]
    assert faults == []


def test_one_module_writes_whole_files(root: Path, tracked: list[str]) -> None:
    """Its part files, locks and error messages are right once; another one is for shared memory."""
    own = {"engine/files/atomic.py", "engine/ipc/shared_paths.py"}
    library = [
        name for name in tracked if name.endswith(".py") and not name.startswith(("tests/", "examples/", ".ci/"))
    ]
    found = {name for name in library if re.search(r"\.part[\"']", (root / name).read_text())}
    assert found == own


def test_no_machine_paths_or_registry_addresses(root: Path, tracked: list[str]) -> None:
    found = []
    for name in tracked:
        data = b"" if (root / name).is_symlink() else (root / name).read_bytes()
        if b"\0" in data:
            continue
        for number, line in enumerate(data.decode().splitlines(), 1):
            if ADDRESSES.search(line):
                found.append(f"{name}:{number}: {line.strip()[:80]}")
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "print(1)",
        "import pickle\npickle.load(f)",
        "eval('1')",
        "torch.load(p)",
        "torch.load(p, weights_only=False)",
        "try:\n    f()\nexcept:\n    pass",
        "def long():\n" + "    x = 1\n" * MAX_FUNCTION,
        "x = 1\n" * (MAX_FILE + 1),
        "raise WorldError('It is damaged', 'get it again')",
        "raise errors.InputError('It is damaged', f'get {it} again')",
    ],
)
def test_a_fault_is_seen(source: str) -> None:
    assert list(python_faults(source, library=True))


def test_an_address_is_seen() -> None:
    assert ADDRESSES.search("see /" + "work/main/README.md")
    assert ADDRESSES.search("https://pypi" + ".org/simple")
    assert not ADDRESSES.search("artwork/main, /work*/ and ../shared/work/list")


def test_what_is_right_passes() -> None:
    assert not list(python_faults("torch.load(p, weights_only=True)\nmodel.eval()", library=True))
    assert not list(python_faults("print(1)", library=False))
    assert not list(python_faults("raise WorldError('x', 'Get it again.')\nInputError('y', hint)", library=True))
