"""matrix.py - what was found out about Debian's libh2o 2.2.5 before there was a shield: the rows that the suite must cover.

A case names its rows in `source` as M1, M2 ...; tests/attack/attack_test.py fails if a row has no case.
"""
import re

# Number: the attack, what the library alone does (measured 2026-11, the packaged .so).
MATRIX = {
    1: ("window that fits the answer exactly, then WINDOW_UPDATE (h2o PR 1951)", "abort(): an assertion, after some 300 bytes"),
    2: ("CONTINUATION after GOAWAY (h2o 05fe666b4)", "a loop that never ends, and no end of the process"),
    3: ("rapid reset, CVE-2023-44487", "350,000 requests/s of one connection, 100,000 jobs in flight"),
    4: ("made you reset, CVE-2025-8671", "230,000 requests/s, 100,000 jobs in flight"),
    5: ("HPACK index bomb", "32 MB sent, 2.3 GB held"),
    6: ("CONTINUATION flood, VU#421644", "bounded; without bytes: two million frames are taken"),
    7: ("empty DATA, CVE-2019-9518", "two million frames are taken"),
    8: ("PING and SETTINGS, answers unread, CVE-2019-9512, -9515", "bounded by Debian's patch; never closed"),
    9: ("PING, SETTINGS, PRIORITY, WINDOW_UPDATE floods, answers read", "without limit, but cheap"),
    10: ("PRIORITY on idle streams, CVE-2019-9513", "closed after 16"),
    11: ("unknown frames", "a line on stderr for each 9 bytes"),
    12: ("zero-window reader, CVE-2019-9517", "never closed, the answers are held"),
    13: ("a body that never ends, with PING", "never closed"),
    14: ("request bodies", "1 GB a request, 100 at once, in memory"),
    15: ("idle, half a preface, slow head, slow body", "closed after its timeouts"),
    16: ("CL and TE, two lengths, obs-fold, bare LF, no Host, two Hosts", "taken for good requests"),
    17: ("lengths that are no numbers, xchunked, NUL, 101 fields", "400, or no answer"),
    18: ("HTTP/2 in clear text", "spoken, unless it is switched off"),
    19: ("HPACK tables of other sizes", "an answer may never come; no harm"),
    20: ("random frames", "only M1, in one conversation of some dozens"),
}


def rows_of(case):
    return [int(n) for n in re.findall(r"\bM(\d+)\b", case.source)]


def uncovered(cases):
    covered = {n for c in cases for n in rows_of(c)}
    return sorted(set(MATRIX) - covered)
