#!/usr/bin/env python3
"""No two files of an archive define the same function: the linker takes one of them without a word if nothing else of the other file is asked for."""
import collections
import subprocess
import sys

from tree import ROOT, complain

from tap import Skip, case, done


def defined(archive):
    """name -> the objects that define it for all others."""
    objects = collections.defaultdict(set)
    said = subprocess.run(["nm", "-A", "-g", "--defined-only", archive], capture_output=True, text=True, timeout=60, check=True).stdout
    for line in said.splitlines():
        where, kind, name = line.rsplit(None, 2)
        if kind in "TDBR":
            objects[name].add(where.split(":")[-2] if where.count(":") > 1 else where)
    return objects


with case("a name is defined once"):
    archives = sorted((ROOT / "build").rglob("lib*.a"))
    if not archives:
        raise Skip("nothing is built")
    total = 0
    for archive in archives:
        names = defined(archive)
        total += len(names)
        complain([f"{archive.name}: {name} is in {' and '.join(sorted(where))}" for name, where in names.items() if len(where) > 1])
    assert total > 1000, total

sys.exit(done())
