"""size.py - the bytes that travel, beside what the best compressors leave when they may take all the time they want.

Of 10,000 articles of 3 KB and the 200 changes of phones.py. State and changes are the canonical records, as `tjzw export` prints them:
xz -9e and zstd -19 of the whole state are what a file for download would be, without anything by which a phone could go on; zstd
--patch-from, of the whole new state against the whole old one, is about the least that a catch-up could be, but fits one cursor only.
"""
import subprocess

from measure import ALONE, apply_edits, corpus, library
from speed import LOG, answers, names_of

ITEMS, SIZE = 10_000, 3000
CATCHUPS = (("identity", LOG), ("gzip", LOG + ".gz"), ("zstd", LOG + ".zst"), ("dz", LOG + ".dz"))
STATES = {"identity": 0, "gzip": 1, "zstd": 2}    # columns at the end of an index line
GOAL_QUARTER = 25


def packed(*command, data=None):
    return len(subprocess.run([*map(str, command)], input=data, capture_output=True, check=True).stdout)


def state_bytes(server, head):
    """{encoding: bytes of all objects of the index}"""
    lines = server.get(f"/v1/sync/main/object/{head['index']}").body.decode().splitlines()[2:]
    objects = [line.split() for line in lines]
    return {name: sum(int(o[6 + at]) for o in objects) for name, at in STATES.items()}


def changes(old, new):
    """The records that are not in both."""
    before = set(old.splitlines())
    return b"\n".join(line for line in new.splitlines() if line not in before) + b"\n"


def updates_only(w, goals):
    """140 small updates alone: what .dz is for."""
    data = library(w, ITEMS, SIZE, "updates")
    server = w.serve(data, env=ALONE)
    edited, _, _ = corpus.edits(ITEMS, SIZE)
    apply_edits(w, server, data, (edited, [], []))
    there, missing = answers(server, CATCHUPS, names_of(server, data, behind=len(edited)))
    server.stop(60)
    sizes = {name: len(body) for name, _, body, _ in there}
    if "dz" in sizes:
        goals.at_most("140 small updates: dz, % of gzip's bytes", 100 * sizes["dz"] / sizes["gzip"], GOAL_QUARTER)
    return [f"| 140 small updates, {name} | {n:,} |" for name, n in sizes.items()] + [f"| 140 small updates, {name} | not there |" for name in missing]


def report(w, args, goals):
    data = library(w, ITEMS, SIZE, "bytes")
    server = w.serve(data, env=ALONE)
    old = w.export(data)
    whole = state_bytes(server, server.settle())
    (w.dir / "old").write_bytes(old)
    apply_edits(w, server, data, corpus.edits(ITEMS, SIZE))
    new = w.export(data)
    (w.dir / "new").write_bytes(new)
    there, missing = answers(server, CATCHUPS, names_of(server, data))
    server.stop(60)
    some = changes(old, new)
    lines = ["| what | bytes |", "|---|---:|", f"| whole state, export | {len(old):,} |"]
    lines += [f"| whole state, objects, {name} | {n:,} |" for name, n in whole.items()]
    lines.append(f"| whole state, xz -9e | {packed('xz', '-9e', '-T1', '-c', w.dir / 'old'):,} |")
    lines.append(f"| whole state, zstd -19 | {packed('zstd', '-19', '-c', w.dir / 'old'):,} |")
    lines.append(f"| 180 new and changed records, export | {len(some):,} |")
    lines += [f"| 200 changes, {name} | {len(body):,} |" for name, _, body, _ in there]
    lines += [f"| 200 changes, {name} | not there |" for name in missing]
    lines.append(f"| 200 changes, xz -9e | {packed('xz', '-9e', '-c', data=some):,} |")
    lines.append(f"| 200 changes, zstd -19 | {packed('zstd', '-19', '-c', data=some):,} |")
    patch = packed("zstd", "-19", "--long=27", f"--patch-from={w.dir / 'old'}", "-c", w.dir / "new")
    lines.append(f"| 200 changes, zstd -19 --patch-from the whole old state | {patch:,} |")
    return lines + updates_only(w, goals)
