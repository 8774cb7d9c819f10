#!/usr/bin/env python3
"""fuzz.py - runs the fuzz targets of build-fuzz.

    fuzz.py [--seconds N] [TARGET ...]      N seconds each; ./dev fuzz

A target starts from tests/fuzz/corpus/NAME and keeps what it finds interesting in .cache/fuzz/NAME, so that the next run goes on from
there. An input that breaks it is kept as .cache/fuzz/NAME-crash-*: add it to the corpus with the fix. NAME.dict beside the corpus, if
there is one, holds the words of the format.
"""
import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TJZW_BUILD", ROOT / "build-fuzz"))
LIMITS = ["-rss_limit_mb=2048", "-timeout=20", "-print_final_stats=1"]


def targets():
    return sorted(p.name.removesuffix("_fuzz") for p in (BUILD / "tests" / "fuzz").glob("*_fuzz") if os.access(p, os.X_OK) and p.is_file())


def fuzz(name, seconds):
    """Replays the corpus (0 seconds) or searches from it. Returns the finished process, its report in stderr."""
    found = ROOT / ".cache" / "fuzz" / name
    found.mkdir(parents=True, exist_ok=True)
    corpus = ROOT / "tests" / "fuzz" / "corpus" / name
    command = [BUILD / "tests" / "fuzz" / f"{name}_fuzz", *LIMITS, f"-artifact_prefix={found}-"]
    words = ROOT / "tests" / "fuzz" / "corpus" / f"{name}.dict"
    command += [f"-dict={words}"] if words.exists() else []
    command += [f"-max_total_time={seconds}"] if seconds else ["-runs=0"]
    command += [found] if seconds else []
    command += [corpus] if corpus.is_dir() else []
    env = {**os.environ, "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",    # or it tells what it finds, and goes on to a good end
           "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp:print_suppressions=0"}
    return subprocess.run(command, capture_output=True, text=True, errors="replace", env=env, stdin=subprocess.DEVNULL)


def runs(done):
    """How many inputs were tried, as libFuzzer counts them."""
    counts = [line.split()[-1] for line in done.stderr.splitlines() if line.startswith("stat::number_of_executed_units")]
    return int(counts[0]) if counts else 0


def main():
    args = argparse.ArgumentParser(description="Runs the fuzz targets.")
    args.add_argument("--seconds", type=int, default=60)
    args.add_argument("target", nargs="*")
    args = args.parse_args()
    known = targets()
    if unknown := set(args.target) - set(known):
        sys.exit(f"no target is called {', '.join(sorted(unknown))}; there are: {' '.join(known)}")
    broken = 0
    for name in args.target or known:
        print(f"{name}: {args.seconds} s ...", flush=True)
        done = fuzz(name, args.seconds)
        broken += done.returncode != 0
        print(f"{name}: {runs(done)} inputs, " + ("nothing broke" if done.returncode == 0 else "BROKEN:\n" + done.stderr[-6000:]))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
