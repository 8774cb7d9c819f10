#!/usr/bin/env python3
"""The pages of docs/reference are what the program prints from its tables. `./dev reference` (this script with --write) renews them."""
import os
import subprocess
import sys

from tree import ROOT

from tap import case, done

PAGES = {
    "conf.md": ["print-conf", "--markdown"],
    "fields.md": ["print-fields"],
    "routes.md": ["print-routes"],
    "metrics.md": ["print-metrics"],
    "openapi.json": ["print-openapi"],
}
TJZW = os.path.join(os.environ.get("TJZW_BUILD", ROOT / "build"), "tjzw")
FOLDER = ROOT / "docs" / "reference"


def printed(command):
    env = {k: v for k, v in os.environ.items() if not k.startswith("TJZW_")}
    done = subprocess.run([TJZW, *command], capture_output=True, env=env, timeout=60)
    assert done.returncode == 0, f"tjzw {command[0]} ended with {done.returncode}: {done.stderr.decode()}"
    return done.stdout


if sys.argv[1:] == ["--write"]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for page, command in PAGES.items():
        (FOLDER / page).write_bytes(printed(command))
        print(f"docs/reference/{page}")
    sys.exit(0)

for page, command in PAGES.items():
    with case(f"docs/reference/{page} is what tjzw {command[0]} prints"):
        assert (FOLDER / page).is_file(), f"docs/reference/{page} is missing: run ./dev reference"
        assert (FOLDER / page).read_bytes() == printed(command), f"docs/reference/{page} is stale: run ./dev reference"

sys.exit(done())
