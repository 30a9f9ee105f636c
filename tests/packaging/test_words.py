"""Retired names and coined words stay out of code, messages and documentation.

The code once had a vocabulary of its own, which a newcomer could not look up anywhere. Each word below was replaced by
the term of the field (see the glossary in docs/architecture.md); this test keeps the old ones from coming back.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

THIS = "tests/packaging/test_words.py"

# Identifiers, and what took their place. They named parts of the program by metaphor, or two different parts alike.
RETIRED = {
    "Player": "FramePipeline",
    "Instrument": "LoadedWorld",
    "Places": "SeedBank",
    "Listener": "SoundConditioner",
    "heard_at": "displacement_at",
    "Moves": "Modulators",
    "Keeper": "RendererSupervisor",
    "Desk": "ControlLoop",
    "Board": "ControlState",
    "Ticker": "OutputLoop",
    "Finish": "OutputControls",
    "Errands": "DiskWorker",
    "Aside": "PreparationWorker",
    "Workshop": "TrainingRun",
    "Performance": "the renderer of a file (pipeline/offline.py), or a take",
    "HeardWindow": "the window of sound that a conditioner embeds",
    "CardPlayer": "the renderer of the test pattern",
    "TestCard": "TestPattern",
    "WholeFile": "CommitFile",
    "Paced": "ClockedSource",
    "Params": "ParameterState",
    "klass": "class_id",
}

# Functions whose names are verbs of everyday speech and say nothing of what they return.
FUNCTIONS = {"said": "one_line_error", "opened": "a verb and what it opens, or level_openness"}
MODULE_FUNCTIONS = {"tick": "what happens at the tick, such as advance_motion"}

# Words in prose and messages. The exceptions are their ordinary English and technical uses.
COINED = {
    r"keepers?": "supervisor, or owner",
    r"(?<!lighting )(?<!mixing )(?<!help )desks?": "control loop",
    r"(?<!set )(?<!step )(?<!put )aside": "preparation worker, or in another process",
    r"last\s+hand": "output controls",
    r"errands?": "disk worker, or task",
    r"klass": "class",
}
# Not within identifiers or addresses.
PROSE = {re.compile(rf"(?<![\w/.])(?:{pattern})(?![\w/])", re.IGNORECASE): better for pattern, better in COINED.items()}


# Finds all that those find and more, at once: what it does not find need not be examined word by word.
QUICK = re.compile(
    "|".join(
        [rf"\b(?:{'|'.join(RETIRED)})\b", rf"def\s+(?:{'|'.join({**FUNCTIONS, **MODULE_FUNCTIONS})})\b"]
        + [f"(?i:{pattern})" for pattern in COINED]
    )
)


def coined(text: str, first: int = 1) -> Iterator[str]:
    """`line: word (better)` for prose that begins in line `first`."""
    for pattern, better in PROSE.items():
        for match in pattern.finditer(text):
            yield f"{first + text.count(chr(10), 0, match.start())}: {match[0]!r} (better: {better})"


def functions(source: str) -> Iterator[str]:
    """`line: name (better)` for retired names of functions."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            better = FUNCTIONS.get(node.name) or (MODULE_FUNCTIONS.get(node.name) if node in tree.body else None)
            if better:
                yield f"{node.lineno}: def {node.name} (better: {better})"


def python_faults(source: str) -> Iterator[str]:
    """`line: what is wrong` for one file's identifiers, strings, docstrings and comments."""
    if not QUICK.search(source):
        return
    yield from functions(source)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and token.string in RETIRED:
            yield f"{token.start[0]}: {token.string} (better: {RETIRED[token.string]})"
        elif token.type in (tokenize.STRING, tokenize.COMMENT):
            yield from coined(token.string, token.start[0])


def file_faults(name: str, text: str) -> Iterator[str]:
    """Faults of a Python or Markdown file; the history may keep the words of its time, and this test names them all."""
    if name.endswith(".py") and name != THIS:
        yield from python_faults(text)
    elif name.endswith(".md") and name != "CHANGELOG.md" and not name.startswith("docs/decisions/"):
        yield from coined(text)


def test_retired_words_stay_out(root: Path, tracked: list[str]) -> None:
    texts = {name: (root / name).read_text() for name in tracked if name.endswith((".py", ".md"))}
    assert len(texts) > 100
    assert [f"{name}:{fault}" for name, text in texts.items() for fault in file_faults(name, text)] == []


@pytest.mark.parametrize("name", RETIRED)
def test_a_retired_name_is_seen(name: str) -> None:
    assert list(python_faults(f"import x\nx.{name}.y = 1"))
    assert not list(python_faults(f"import x\nx.My{name} = 'http://a.b/{name}'"))


@pytest.mark.parametrize("source", ["def said(): ...", "class A:\n    def opened(self): ...", "async def tick(): ..."])
def test_a_retired_function_is_seen(source: str) -> None:
    assert list(python_faults(source))


@pytest.mark.parametrize("text", ["the keeper", "The Desk's", "an aside", "its last\nhand", "errands", "a klass"])
def test_a_coined_word_is_seen(text: str) -> None:
    sources = (f'"""{text}"""', f"f'''{text} {{1}}'''", "# " + text.replace("\n", " "))
    assert all(list(python_faults(source)) for source in sources)
    assert list(file_faults("docs/page.md", text))


def test_ordinary_english_passes() -> None:
    text = "a lighting desk, the help desk, a desktop; put aside, a bookkeeper; on the other hand, the last handle"
    assert not list(coined(text))
    assert not list(python_faults("class A:\n    def tick(self): self.said = opened"))
    assert not list(file_faults("CHANGELOG.md", "the keeper")) and not list(
        file_faults("docs/decisions/1.md", "errand")
    )
