#!/usr/bin/env python3
"""Every fuzz target takes its corpus without a fault, and some seconds of search find none."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import fuzz

from tap import case, done, note, rounds, skip

SECONDS = rounds(30, 5)

if not fuzz.targets():
    skip("fuzz targets", "there is none in this build")
for name in fuzz.targets():
    with case(f"{name} takes its corpus"):
        result = fuzz.fuzz(name, 0)
        assert result.returncode == 0, result.stderr[-4000:]
    with case(f"{name} withstands {SECONDS} s of search"):
        result = fuzz.fuzz(name, SECONDS)
        note(f"{name}: {fuzz.runs(result)} inputs")
        assert result.returncode == 0, result.stderr[-4000:]

sys.exit(done())
