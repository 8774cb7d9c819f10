#!/usr/bin/env python3
"""bench.py - what the server costs, beside the least it could cost, beside nginx and beside what others do.

    bench.py [--write] [--only PART ...] [--rounds N] [--requests N] [--items N] [--citizens N]          ./dev bench

Parts: speed (requests a second), scale (a thousand to a million items), phones (first sync, idle, catch-up, near and far, and the same
work by PouchDB and Durable Streams), bytes (beside what compressors leave), behind (phones 1 to 300,000 changes behind), shield (what the
guard costs), who (what it costs to know who asks), state (a citizen's own state: mutations, exchanges, idle pulls), push (streams of events, an audience and a job of 14 million devices, sending), search (the index, and what is found by it), feeds (a reader's polls, beside nginx), sign_in (refresh tokens, passwords, whether an answer's time tells who has an account). Each is a module here whose top says what its rows are. With --items 1000000 scale and behind measure a million items as well: 20 minutes more, the first
time 10 more to make them. --citizens 1000000 has state measure one citizen among a million (a few minutes, 15 GB of disk).

Speeds of a shared machine drift by a factor of two within minutes, so every round measures every row, one after the other, and the tables
show medians. Each server runs one event loop, so that the client has a core of its own. "CPU" is what the server's threads ran
(/proc/PID/task/*/schedstat) over the requests done, which is steadier than requests a second. The client of speed and scale is
phone-like: h2load with 64 connections, one stream each, TLS and HTTP/2, handshakes included, for the floor as for all.

--write puts each part's tables, with the command, the machine and the date, into docs/performance.md, and leaves the other parts of that page
as they are.
"""
import argparse
import datetime
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "flow")]
import behind  # noqa: E402
import feeds  # noqa: E402
import phones  # noqa: E402
import push  # noqa: E402
import scale  # noqa: E402
import search  # noqa: E402
import shield  # noqa: E402
import sign_in  # noqa: E402
import size  # noqa: E402
import speed  # noqa: E402
import state  # noqa: E402
import who  # noqa: E402
from lib import World  # noqa: E402
from measure import machine, say  # noqa: E402

PAGE = ROOT / "docs" / "performance.md"
TOP = """# Performance

Written by `./dev bench --write`. What each row is and how it is measured stands at the tops of `tests/bench/bench.py` and its parts.
"""
PARTS = {"speed": ("Requests", speed), "phones": ("What phones wait for", phones), "bytes": ("Bytes", size), "behind": ("Phones far behind", behind),
         "scale": ("Scale", scale), "shield": ("The guard", shield), "search": ("Search", search), "feeds": ("Feeds", feeds), "sign_in": ("Signing in", sign_in), "who": ("Who asks", who), "state": ("A citizen's own state", state), "push": ("Push", push)}


class Goals:
    """What must be shown, and whether it was."""

    def __init__(self):
        self.rows = []

    def _add(self, what, measured, limit, met, sign):
        self.rows.append((what, measured, limit, met, sign))

    def at_most(self, what, measured, limit):
        self._add(what, measured, limit, measured <= limit, "≤")

    def at_least(self, what, measured, limit):
        self._add(what, measured, limit, measured >= limit, "≥")

    @property
    def met(self):
        return all(row[3] for row in self.rows)

    def table(self):
        lines = ["| what | measured | goal | |", "|---|---:|---:|---|"]
        for what, measured, limit, met, sign in self.rows:
            lines.append(f"| {what} | {figure(measured)} | {sign} {figure(limit)} | {'met' if met else '**missed**'} |")
        return lines


def figure(x):
    return f"{x:,.0f}" if x >= 100 or x == int(x) else f"{x:.2f}" if x < 10 else f"{x:.1f}"


def arguments():
    args = argparse.ArgumentParser(description="Measures the server; see the top of this file.")
    args.add_argument("--write", action="store_true", help="into docs/performance.md")
    args.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    args.add_argument("--rounds", type=int, default=5)
    args.add_argument("--requests", type=int, default=40_000, help="of each row in each round")
    args.add_argument("--items", type=int, default=100_000, help="of the largest library")
    args.add_argument("--citizens", type=int, default=100_000, help="of the largest server of citizens")
    return args.parse_args()


def measured(name, args):
    """(the part as text, whether its goals are met)"""
    title, part = PARTS[name]
    goals, load = Goals(), os.getloadavg()[0]
    say(title.lower())
    with World() as w:
        lines = part.report(w, args, goals)
    size = f"--citizens {args.citizens}" if name == "state" else f"--items {args.items}"
    command = f"./dev bench --only {name} --rounds {args.rounds} --requests {args.requests} {size}"
    how = f"`{command}` on {datetime.date.today()}, {machine()}; other work made a load of {load:.1f} before it began."
    return "\n".join([f"## {title}", "", how, "", *lines, *(["", *goals.table()] if goals.rows else [])]), goals.met


def write(parts):
    """The page holds a section a part; those that were not measured now stay."""
    there = {section.splitlines()[0]: section.strip() for section in re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]}
    there |= {part.splitlines()[0].removeprefix("## "): part.removeprefix("## ") for part in parts}
    order = [title for title, _ in PARTS.values()]
    PAGE.write_text(TOP + "".join(f"\n## {there[title]}\n" for title in order if title in there))
    print(f"written to {PAGE.relative_to(ROOT)}")


def main():
    args, parts, met = arguments(), [], True
    for name in args.only:
        text, good = measured(name, args)
        parts.append(text)
        met = met and good
        print(text + "\n", flush=True)
        if args.write:
            write(parts)
    print("all goals are met" if met else "NOT all goals are met")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
