"""tree.py - the files that are ours, for the lint tests: what git tracks, so that builds and downloads are left out."""
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))


def files(*suffixes):
    """Paths relative to the root, of files with one of these suffixes (none: all). New files count before they are committed."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True)
    if listed.returncode == 0:
        names = [n for n in listed.stdout.decode().split("\0") if n and (ROOT / n).is_file()]
    else:   # a source archive without git
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")
                 if p.is_file() and not p.relative_to(ROOT).parts[0].startswith(("build", ".cache", ".git", "tjzw-data"))]
    return sorted(n for n in set(names) if not suffixes or os.path.splitext(n)[1] in suffixes)


def lines(name):
    """(number, text) of a file's lines."""
    return enumerate((ROOT / name).read_text(errors="replace").splitlines(), 1)


def complain(found):
    """Fails the case with everything that was found, one line each."""
    assert not found, "\n" + "\n".join(found)
