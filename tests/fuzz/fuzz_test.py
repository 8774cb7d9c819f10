#!/usr/bin/env python3
"""Every fuzz target takes its corpus without a fault, and some seconds of search find none."""
import concurrent.futures
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import fuzz

from tap import FULL, case, done, note, rounds, skip

SECONDS = rounds(30, 5)

def try_it(name):
    """Its corpus, and the search."""
    return fuzz.fuzz(name, 0), fuzz.fuzz(name, SECONDS)


if not fuzz.targets() and FULL:
    with case("the fuzz targets are built"):
        raise AssertionError("there is none in this build: ./dev build fuzz")
elif not fuzz.targets():
    skip("fuzz targets", "there is none in this build")
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as crew:
    for name, (corpus, search) in zip(fuzz.targets(), crew.map(try_it, fuzz.targets())):
        with case(f"{name} takes its corpus"):
            assert corpus.returncode == 0, corpus.stderr[-4000:]
        with case(f"{name} withstands {SECONDS} s of search"):
            note(f"{name}: {fuzz.runs(search)} inputs")
            assert search.returncode == 0, search.stderr[-4000:]

sys.exit(done())
