"""report.py - what the attacks did, as lines on the terminal and as the table of docs/security/http2.md."""
import os

from arena import AIM_MS, GROWTH_MAX, LATE_MS, ROOT
from matrix import MATRIX, rows_of

PREFIX = ""     # "# " where only TAP may begin a line
PAGE = ROOT / "docs" / "security" / "http2.md"
HEAD = f"""# Attacks on HTTP, and what became of them

Written by `./dev attack --write`; do not edit. The suite is `tests/attack/`, the shield is described in [shield.md](../shield.md).

The first table is what was known of libh2o 2.2.5, the library that we stand in front of, before there was a shield, and which attacks of ours try it; *source* names
its rows M1 to M{len(MATRIX)}. The other tables are the attacks.

Each attack comes with raw bytes from addresses of its own. While it lasts, an honest client asks over TLS and HTTP/2 on the same, only loop.
An attack is withstood if what the row expects came true, the process is the same as before, its own memory never grew by {GROWTH_MAX} MB, the
honest client got every answer within {LATE_MS} ms, and soon after connections, open files and memory were given back. *p99* is the honest
client's (the aim is {AIM_MS} ms; marked \\* where it was missed); attackers and server share one machine. *Bare* is the same program with its guard
off: **fails** where it must, or the suite would prove nothing; where it need not, our clocks and bounds or libh2o itself withstand. *guard* names the
counters of the guard that moved (`tjzw_guard_…`). The slow ones go on side by side, so the growth in their rows is that of all of them.
"""


def tell(row):
    word = "skip" if row.skipped else "ok  " if row.good else "FAIL"
    p99 = "     -" if row.p99 is None else f"{row.p99:6.1f}"
    print(f"{PREFIX}{word} {row.case.name:34} {row.seconds:5.1f} s {row.grown:6.1f} MB  p99 {p99} ms of {row.asked:4}  "
          f"{row.skipped or '; '.join(row.failures + [f'guard: {row.guard}'] * bool(row.guard) + row.notes)}", flush=True)


def result(row):
    if row.good:
        return f"withstood (guard: {row.guard})" if row.guard else "withstood"
    return "not tried: " + row.skipped if row.skipped else "**" + row.failures[0][:120] + "**"


def alone(row):
    if row is None or row.skipped:
        return "–"
    word = "holds" if row.good else "fails"
    why = "" if row.good else ": " + row.failures[0].split("(")[0][:70].strip()
    return (f"**{word}**" if row.case.libh2o_fails else word) + why


def line(*words):
    return "| " + " | ".join(w.replace("|", "/").replace("\n", " ") for w in words) + " |"


def about(case):
    """What of its line depends on no run; tests/lint/attacks_test.py holds the page against it."""
    return case.name, case.does, case.source, case.expect


def cells(row, other):
    p99 = "–" if row.p99 is None else f"{row.p99:.1f}" + (" \\*" if row.p99 > AIM_MS else "")
    return line(*about(row.case), result(row), f"{row.grown:.0f}", p99, alone(other))


def of_the_matrix(rows):
    """What the library alone was found to do, and which attacks of ours stand for it."""
    cases = [r.case for mine in rows.values() for r in mine]
    yield from ("## What was known of libh2o 2.2.5 alone", "", "| | attack | the library alone | here |", "|---|---|---|---|")
    for n, (attack, alone_) in MATRIX.items():
        yield f"| M{n} | {attack} | {alone_} | {'; '.join(c.name for c in cases if n in rows_of(c))} |"
    yield ""


def write(rows, bare):
    lines = [HEAD, *of_the_matrix(rows)]
    for group, mine in rows.items():
        others = {r.case.name: r for r in bare.get(group, [])}
        lines += [f"## {group}", "", "| attack | what it does | source | expected | result | + MB | p99 ms | bare |", "|---|---|---|---|---|---:|---:|---|"]
        lines += [cells(row, others.get(row.case.name)) for row in mine] + [""]
    every = [r for mine in rows.values() for r in mine]
    served = [r.p99 for r in every if r.p99 is not None]
    lines += [f"{len(every)} attacks, {sum(r.good for r in every)} withstood, {sum(bool(r.skipped) for r in every)} not tried here; "
              f"the honest client's worst p99 was {max(served):.1f} ms, the largest growth {max(r.grown for r in every):.0f} MB. "
              f"The machine has {os.cpu_count()} cores, and its load was {os.getloadavg()[2]:.0f} in the last quarter of an hour."]
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join(lines) + "\n")
    print(f"written: {PAGE.relative_to(ROOT)}")
