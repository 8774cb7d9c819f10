#!/usr/bin/env python3
"""How long functions and files are: a report. Nothing fails for its length, but nothing grows unseen either."""
import sys

from tree import ROOT, files

from tap import case, done, note

FUNCTION, FILE = 60, 600


def functions(name):
    """(line, name, length). The layout of .clang-format puts the braces of a function, and of nothing but it and structs, at column 0."""
    text = (ROOT / name).read_text(errors="replace").splitlines()
    start = None
    for i, line in enumerate(text):
        if line == "{":
            start = i
        elif line == "}" and start is not None:
            head = next((text[j] for j in range(start - 1, -1, -1) if text[j] and not text[j][0].isspace()), "")
            yield start + 1, head.split("(")[0].split()[-1].lstrip("*") if head else "?", i - start - 1
            start = None


with case("lengths of functions and files are reported"):
    lengths = []
    for f in files(".c"):
        lengths += [(n, f, line, name) for line, name, n in functions(f)]
    sizes = sorted((sum(1 for _ in open(ROOT / f, errors="replace")), f) for f in files(".c", ".h", ".py"))
    lengths.sort()
    if lengths:
        short = sum(1 for n, *_ in lengths if n <= 15)
        note(f"{len(lengths)} functions, median {lengths[len(lengths) // 2][0]} lines, {100 * short // len(lengths)} % at most 15")
    for n, f, line, name in reversed(lengths):
        if n > FUNCTION:
            note(f"{f}:{line}: {name} has {n} lines")
    for n, f in reversed(sizes):
        if n > FILE:
            note(f"{f} has {n} lines")

sys.exit(done())
