#!/usr/bin/env python3
"""Every attack is withstood while somebody else is served: the short form of ./dev attack (attack.py), a case an attack."""
import sys

import report
from attack import Run, groups
from matrix import uncovered
from tap import FULL, case, done, skip

with case("every row of the matrix has an attack"):
    assert not uncovered(c for cases in groups("short").values() for c in cases)

report.PREFIX = "# "
for rows in Run("full" if FULL else "short", []).all().values():
    for row in rows:
        if row.skipped:
            skip(row.case.name, row.skipped)
            continue
        with case(row.case.name):
            assert not row.failures, "; ".join(row.failures)

sys.exit(done())
