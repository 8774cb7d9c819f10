"""shield.py - what the guard costs: the signed head from the server, and from its control, which is the same program without the guard.

Phone-like: 64 connections, one stream each. Batched: 16 streams on each of 128 connections, so that no connection spends its credits. The
figure is the median over the rounds of guard over control, each pair measured one after the other.
"""
import statistics

from measure import ALONE, BUILD, Row, measure, say

HEAD = "/v1/sync/main/head"
LOADS = (("phone-like", {}, 5), ("batched", {"clients": 128, "streams": 16}, 15))      # name, how, goal in percent of the CPU
BARE = BUILD / "tests" / "attack" / "tjzw-bare"


def report(w, args, goals):
    guarded, bare = w.serve(w.dir / "guarded", "--demo", env=ALONE), w.serve(w.dir / "bare", "--demo", env=ALONE, program=BARE)
    rows = [(Row(name, guarded.process.pid, guarded.url + HEAD, **how), Row(name, bare.process.pid, bare.url + HEAD, **how)) for name, how, _ in LOADS]
    say("the guard")
    measure([row for pair in rows for row in pair], args.rounds, args.requests)
    lines = ["| load | CPU µs/request | without the guard | the guard |", "|---|---:|---:|---:|"]
    for (with_it, without), (name, _, goal) in zip(rows, LOADS):
        more = 100 * statistics.median(a / b - 1 for a, b in zip(with_it.costs, without.costs))
        lines.append(f"| {name} | {with_it.cost:.2f} | {without.cost:.2f} | {more:+.1f} % |")
        goals.at_most(f"the guard, {name}, % of the CPU", more, goal)
    guarded.stop(60)
    bare.stop(60)
    return lines
