#!/usr/bin/env python3
"""docs/security/http2.md tells of the attacks that there are. Its figures are those of the last ./dev attack --write."""
import sys

from tree import ROOT, complain

sys.path[:0] = [str(ROOT / "tests" / "attack"), str(ROOT / "tests" / "flow")]
from attack import groups  # noqa: E402
from arena import Row  # noqa: E402
from report import HEAD, PAGE, about, line, of_the_matrix  # noqa: E402

from tap import case, done  # noqa: E402

ANEW, TOGETHER = "./dev attack --write", "all the slow ones"     # a row of the run, not of the tables


def rows(cases):
    return [Row(c) for c in cases]


with case("docs/security/http2.md has every attack, as the tables tell of it, and no other"):
    page, tables = PAGE.read_text(), groups("full")
    told = [text for text in page.splitlines() if text.startswith("| ") and text.count(" | ") == 7]
    known = {line(*about(c))[:-1]: c.name for cases in tables.values() for c in cases}
    complain([f"{name}: not there, or told otherwise: {ANEW}" for start, name in known.items() if not any(t.startswith(start) for t in told)])
    complain([f"{t[:50]} ...: in no table: {ANEW}" for t in told[1:] if not t.startswith((*known, f"| {TOGETHER} ", "| attack "))])
    complain([f"## {group}: not there: {ANEW}" for group in tables if f"\n## {group}\n" not in page])
    assert page.startswith(HEAD), f"its beginning is another: {ANEW}"

with case("its first table is the one of tests/attack/matrix.py"):
    assert "\n".join(of_the_matrix({g: rows(c) for g, c in tables.items()})) in page, ANEW

sys.exit(done())
