#!/usr/bin/env python3
"""Without its guard the same program falls: or the attacks would prove nothing. A few attacks here; with --full all that libh2o alone fails."""
import sys

import report
from attack import Run, bare
from tap import FULL, case, done

FEW = ["exact window, WINDOW_UPDATE", "CONTINUATION after GOAWAY", "rapid reset", "CL and TE", "random frames"]

report.PREFIX = "# "
for rows in Run("full" if FULL else "short", [] if FULL else FEW, bare()).all().values():
    for row in rows:
        if row.case.libh2o_fails and not row.skipped:
            with case(f"without the guard, {row.case.name}: fails"):
                assert row.fell, f"it was withstood: what protects us is not the guard, or the attack is none ({row.failures or 'nothing failed'})"

sys.exit(done())
