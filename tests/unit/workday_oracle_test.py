#!/usr/bin/env python3
"""workday_oracle_test.py WORKDAY_TEST - every day from 2007 to 2026 against npm chinese-days, which others keep. Skips (77) where npm cannot get it."""
import datetime
import json
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "1.5.7"
CACHE = Path(__file__).resolve().parents[2] / ".cache" / f"chinese-days-{VERSION}"
DATA = CACHE / "package" / "dist" / "chinese-days.json"
FIRST, LAST = datetime.date(2007, 1, 1), datetime.date(2026, 12, 31)


def fetch():
    """Why it cannot be had; None: it is there."""
    if DATA.exists():
        return None
    if not shutil.which("npm"):
        return "npm is not here"
    CACHE.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["npm", "pack", "--silent", f"chinese-days@{VERSION}"], cwd=CACHE, capture_output=True, text=True, timeout=300)
    if done.returncode:
        return "npm pack chinese-days failed: " + (done.stderr.strip().splitlines() or ["no reason given"])[0]
    subprocess.run(["tar", "xzf", done.stdout.strip().splitlines()[-1]], cwd=CACHE, check=True)
    return None


def theirs(data, day):
    name = day.isoformat()
    return name in data["workdays"] or (name not in data["holidays"] and day.weekday() < 5)


def main():
    missing = fetch()
    if missing:
        print("skipped:", missing)
        return 77
    data = json.loads(DATA.read_text(encoding="utf-8"))
    ours = subprocess.run([sys.argv[1], FIRST.isoformat(), LAST.isoformat()], capture_output=True, text=True, check=True).stdout
    days = [FIRST + datetime.timedelta(n) for n in range((LAST - FIRST).days + 1)]
    assert len(ours) == len(days), f"{len(ours)} days, not {len(days)}"
    wrong = [f"{day}: ours {digit}" for day, digit in zip(days, ours) if (digit == "1") != theirs(data, day)]
    print(f"{len(days)} days, {len(wrong)} differ", *wrong, sep="\n")
    return 1 if wrong else 0


sys.exit(main())
