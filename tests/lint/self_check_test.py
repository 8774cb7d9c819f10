#!/usr/bin/env python3
"""docs/self-check.md: each case that it names is one that runs, and each row has a case, or says whose it is, or that it is not met."""
import re
import sys

from tree import ROOT, complain, lines

from tap import case, done

SHEET = "docs/self-check.md"
rows = [(number, [c.strip() for c in text.strip("|").split("|")]) for number, text in lines(SHEET)
        if text.startswith("| ") and not text.startswith("| 条款")]


def cases_of(path):
    """What the test calls its cases: in C the functions that it hands to cmocka, in Python what stands behind case(."""
    text = (ROOT / path).read_text()
    if path.endswith(".py"):
        return set(re.findall(r'\bcase\("([^"]*)"\)', text))
    return {name for name in re.findall(r"^static void (\w+)\(void \*\*\w+\)", text, re.M) if re.search(rf"\b\w+\(\s*{name}\b", text)}


def is_there(named):
    path, _, name = named.partition(":")
    return name and (ROOT / path).is_file() and name in cases_of(path)


with case("the sheet has rows"):
    assert len(rows) > 60, len(rows)

with case("every case that it names is there, and runs"):
    complain([f"{SHEET}:{number}: {named}" for number, cells in rows for named in re.findall(r"`(tests/[^`]+)`", " ".join(cells))
              if not is_there(named)])

with case("every row has a case, or says whose it is, or that it is not met"):
    complain([f"{SHEET}:{number}: {cells[0]}" for number, cells in rows
              if len(cells) != 3 or not (re.search(r"`tests/", cells[2]) or re.search(r"\*\*(未满足|运营者)\*\*", cells[1]))])

sys.exit(done())
