"""OSC address patterns: `*`, `?`, `[a-z]`, `[!a]` and `{in,out}`, none of them across a slash."""

from __future__ import annotations

SPECIAL = frozenset("*?[]{}")
"""Characters that make an address a pattern."""

_Token = str | tuple[str, ...] | tuple[bool, frozenset[str]]


def matches(pattern: str, address: str) -> bool:
    """Whether an OSC address pattern (`*` `?` `[a-z]` `[!a]` `{in,out}`, none across a `/`) matches the address.

    A pattern with an unclosed `[` or `{` matches nothing.
    """
    parts, names = pattern.split("/"), address.split("/")
    return len(parts) == len(names) and all(map(part_matches, parts, names))


def part_matches(pattern: str, name: str) -> bool:
    """Like `matches`, for one part of an address between slashes.

    Tracks the set of positions in `name` that the pattern can have reached: steps <= tokens x len(name).
    """
    if SPECIAL.isdisjoint(pattern):
        return pattern == name
    tokens = _tokens(pattern)
    reached = {0} if tokens is not None else set[int]()
    for token in tokens or ():
        if not reached:
            break
        reached = _reach(token, name, reached)
    return len(name) in reached


def _reach(token: _Token, name: str, reached: set[int]) -> set[int]:
    if token == "*":  # noqa: S105 - a star, not a secret
        return set(range(min(reached), len(name) + 1))
    if isinstance(token, str):
        return {at + 1 for at in reached if at < len(name) and token in ("?", name[at])}
    if isinstance(token[0], bool):
        unlike, letters = token
        return {at + 1 for at in reached if at < len(name) and (name[at] in letters) != unlike}
    words = [word for word in token if isinstance(word, str)]
    return {at + len(word) for at in reached for word in words if name.startswith(word, at)}


def _tokens(pattern: str) -> list[_Token] | None:
    """Tokens: `*`, `?`, letters, ("words", "in", "braces"), (negated, letters in brackets); None if one is unclosed."""
    tokens, at = list[_Token](), 0
    while at < len(pattern):
        letter = pattern[at]
        if letter in "[{":
            end = pattern.find("]" if letter == "[" else "}", at + 1)
            if end < 0:
                return None
            inside = pattern[at + 1 : end]
            tokens.append(_letters(inside) if letter == "[" else tuple(inside.split(",")))
            at = end
        elif letter in "]}":
            return None
        else:
            tokens.append(letter)
        at += 1
    return tokens


def _letters(inside: str) -> tuple[bool, frozenset[str]]:
    unlike = inside.startswith("!")
    rest, letters, at = inside[unlike:], set[str](), 0
    while at < len(rest):
        if rest[at + 1 : at + 2] == "-" and at + 2 < len(rest):
            letters.update(map(chr, range(ord(rest[at]), ord(rest[at + 2]) + 1)))
            at += 3
        else:
            letters.add(rest[at])
            at += 1
    return unlike, frozenset(letters)
