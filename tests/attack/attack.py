#!/usr/bin/env python3
"""attack.py - every attack we know, against a server of ours, while somebody else is served.

    attack.py [--short] [--write] [--control] [--against FILE] [--only WORD ...]        ./dev attack

--short     what ./dev test runs: the same cases but those that wait for a minute
--against   another executable instead of build/tjzw
--control   against the same program without its guard: rows marked so must FAIL there, or the suite proves nothing
--write     both, and the table goes into docs/security/http2.md

Cases stand in tables: h2_cases.py, h1_cases.py, slow_cases.py. What must hold beside each is in arena.py. Random frames: noise.py.
"""
import argparse
import os
import sys
from pathlib import Path

import arena
import h1_cases
import h2_cases
import slow_cases
from arena import Arena, lib

GROUPS = {"HTTP/2": h2_cases.CASES, "HTTP/1, TLS, and who asks": h1_cases.CASES}


def run_quick(world, cases, said):
    """One after the other on one server; those that end it have their own."""
    together = Arena(world).open()
    try:
        for number, case in cases:
            place = Arena(world, case.env).open() if case.ends else together
            row = place.judge(case, number)
            said(row)
            if case.ends:
                place.close()
            yield row
    finally:
        together.close()


def tell(row):
    word = "skip" if row.skipped else "ok  " if row.good else "FAIL"
    p99 = "     -" if row.p99 is None else f"{row.p99:6.1f}"
    print(f"{word} {row.case.name:34} {row.seconds:5.1f} s {row.grown:6.1f} MB  p99 {p99} ms of {row.asked:4}  "
          f"{row.skipped or '; '.join(row.failures) or '; '.join(row.notes)}", flush=True)


def main():
    args = argparse.ArgumentParser(description="Attacks a server; see the top of this file.")
    args.add_argument("--short", action="store_true")
    args.add_argument("--against")
    args.add_argument("--group")
    args.add_argument("--only", nargs="*", default=[])
    args = args.parse_args()
    if args.against:
        lib.TJZW = Path(args.against).resolve()
    cases = [c for name, group in GROUPS.items() for c in group if not args.group or args.group in name]
    cases = [(i, c) for i, c in enumerate(cases) if not args.only or any(w in c.name for w in args.only)]
    with lib.World() as world:
        world.tjzw("import", "--data", world.data, "--publish", world.articles(60))
        rows = list(run_quick(world, cases, tell))
    print(f"{sum(r.good for r in rows)} hold, {sum(bool(r.failures) for r in rows)} fail")


if __name__ == "__main__":
    sys.exit(main())
