#!/usr/bin/env python3
"""Every test that meson knows belongs to a suite that tests/run.py runs; nothing is left out in silence."""
import json
import os
import subprocess
import sys

from tree import ROOT, complain

from tap import case, done

sys.path.insert(0, str(ROOT / "tests"))
import run  # noqa: E402

with case("tests/run.py runs every test that meson knows"):
    build = os.environ.get("TJZW_BUILD", ROOT / "build")
    tests = json.loads(subprocess.run(["meson", "introspect", "--tests", build], capture_output=True, check=True).stdout)
    complain([f"{t['name']}: suite {t['suite']} is none of {run.IN_PROCESS}" for t in tests
              if not {s.split(":")[-1] for s in t["suite"]} & set(run.IN_PROCESS)])

sys.exit(done())
