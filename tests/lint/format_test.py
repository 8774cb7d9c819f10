#!/usr/bin/env python3
"""C files look as .clang-format lays them out."""
import shutil
import subprocess
import sys

from tree import ROOT, complain, files

from tap import Skip, case, done

with case("every C file is formatted"):
    if not shutil.which("clang-format"):
        raise Skip("clang-format is not installed")
    names = files(".c", ".h")
    said = subprocess.run(["clang-format", "--dry-run", "-Werror", *names], cwd=ROOT, capture_output=True, text=True).stderr
    wrong = {line.split(":")[0] for line in said.splitlines() if "clang-format-violations" in line}
    complain([f"{n}: clang-format -i {n}" for n in sorted(wrong)])

sys.exit(done())
