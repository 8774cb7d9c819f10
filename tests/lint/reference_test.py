#!/usr/bin/env python3
"""The pages of docs/reference are what the program prints from its tables. `./dev reference` (this script with --write) renews them."""
import json
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
# Pages with printed parts: what stands between <!-- printed: NAME --> and <!-- end -->.
PARTS = {"standard.md": {"print-codes": ["print-codes"]}}
TJZW = os.path.join(os.environ.get("TJZW_BUILD", ROOT / "build"), "tjzw")
FOLDER = ROOT / "docs" / "reference"


def printed(command):
    env = {k: v for k, v in os.environ.items() if not k.startswith("TJZW_")}
    done = subprocess.run([TJZW, *command], capture_output=True, env=env, timeout=60)
    assert done.returncode == 0, f"tjzw {command[0]} ended with {done.returncode}: {done.stderr.decode()}"
    return done.stdout


def with_parts(page, parts):
    text = (ROOT / "docs" / page).read_bytes()
    for name, command in parts.items():
        begin, end = f"<!-- printed: {name} -->\n".encode(), b"<!-- end -->"
        before, found, rest = text.partition(begin)
        assert found and end in rest, f"docs/{page} has no part {name}"
        text = before + begin + printed(command) + rest[rest.index(end):]
    return text


if sys.argv[1:] == ["--write"]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for page, command in PAGES.items():
        (FOLDER / page).write_bytes(printed(command))
        print(f"docs/reference/{page}")
    for page, parts in PARTS.items():
        (ROOT / "docs" / page).write_bytes(with_parts(page, parts))
        print(f"docs/{page}")
    sys.exit(0)

for page, command in PAGES.items():
    with case(f"docs/reference/{page} is what tjzw {command[0]} prints"):
        assert (FOLDER / page).is_file(), f"docs/reference/{page} is missing: run ./dev reference"
        assert (FOLDER / page).read_bytes() == printed(command), f"docs/reference/{page} is stale: run ./dev reference"

for page, parts in PARTS.items():
    with case(f"docs/{page} has what the program prints"):
        assert (ROOT / "docs" / page).read_bytes() == with_parts(page, parts), f"docs/{page} is stale: run ./dev reference"

with case("a list of codes that changed has another version, and no code is ever taken away"):
    history = json.loads((ROOT / "tests" / "data" / "codes.json").read_text())
    for name, now in json.loads(printed(["print-codes", "--json"])).items():
        versions = history.get(name, {})
        assert versions.get(str(now["version"])) == now["codes"], (
            f"{name}: raise its version in server/cli/codes.def, and write into tests/data/codes.json: {json.dumps({str(now['version']): now['codes']}, ensure_ascii=False)}")
        for version, codes in versions.items():
            assert set(codes) <= set(now["codes"]), f"{name}: {set(codes) - set(now['codes'])} of version {version} is gone; words of old records mean something for ever"

sys.exit(done())
