#!/usr/bin/env python3
"""sim_test.py - many towns from as many seeds; the same seed gives the same run; and each mistake of broken.py is found within 200 seeds."""
import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lib"))
from tap import case, done, note, rounds  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("TJZW_BUILD", ROOT / "build")) / "tests/sim"
JOBS = str(min(4, os.cpu_count() or 1))
WITHIN = 200
LATE = rounds(set(), {6, 9, 10, 12, 14, 17, 21, 22, 23})     # found behind a dozen seeds or more, which take a minute each: --full tries them


def run(program, *arguments, broken=0):
    env = dict(os.environ, TJZW_SIM_BROKEN=str(broken))
    return subprocess.run([BUILD / program, "--jobs", JOBS, *map(str, arguments)], env=env, capture_output=True, text=True, timeout=7200)


how_many = rounds(2000, 60)
with case(f"{how_many} seeds"):
    ran = run("tjzw-sim", "--paths", "--rounds", how_many)
    assert f"{how_many} rounds, 0 lost" in ran.stdout, ran.stdout + ran.stderr
    note(ran.stdout)

with case("they have taken every path that so many towns take (tests/sim/reached.def)"):
    missed = [line for line in ran.stdout.splitlines() if line.endswith(" !")]
    assert not missed and ran.returncode == 0, "\n".join(missed)

with case("a seed gives the same run again, in another process"):
    first, second = (re.search("seed 7: [0-9a-f]{16}", run("tjzw-sim", "--seed", 7).stdout) for _ in range(2))
    assert first and second and first[0] == second[0], (first, second)

with case("the program that can be broken is as good as the other until it is"):
    ran = run("tjzw-sim-broken", "--rounds", 4)
    assert ran.returncode == 0, ran.stdout + ran.stderr

listed = subprocess.run([sys.executable, ROOT / "tests/sim/broken.py", "--list"], capture_output=True, text=True, check=True).stdout
for line in listed.splitlines():
    number, what = line.split(" ", 1)
    if int(number) in LATE:
        continue
    with case(f"found: {what}"):
        ran = run("tjzw-sim-broken", "--rounds", WITHIN, "--stop", broken=number)
        found = re.search(r"seed \d+ is (?:lost|not the same).*", ran.stdout)
        assert ran.returncode == 1 and found, ran.stdout + ran.stderr
        note(f"breakage {number}: {found[0]}")

sys.exit(done())
