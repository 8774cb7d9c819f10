#!/usr/bin/env python3
"""workday_oracle_test.py WORKDAY_TEST - every day from 2007 to 2026, and the deadlines of what comes on it, against npm chinese-days, which others keep, and
against ../shared/corpus/holidays-cn.json (holiday-cn, by others again): whichever is to be had. Skips (77) if neither is."""
import datetime
import json
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "1.5.7"
CACHE = Path(__file__).resolve().parents[2] / ".cache" / f"chinese-days-{VERSION}"
DATA = CACHE / "package" / "dist" / "chinese-days.json"
HOLIDAY_CN = Path(__file__).resolve().parents[3] / "shared/corpus/holidays-cn.json"
TERMS = (3, 5, 7, 10, 15, 20)    # as in workday_test.c
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


def chinese_days():
    data = json.loads(DATA.read_text(encoding="utf-8"))
    return {**dict.fromkeys(data["holidays"], False), **dict.fromkeys(data["workdays"], True)}


def holiday_cn():
    return {name: not day["off"] for name, day in json.loads(HOLIDAY_CN.read_text(encoding="utf-8"))["days"].items()}


def expected(odd):
    """What workday_test prints. `odd`: {day: whether it is worked on} where weeks do not say it. Days of 2027 are weekdays or weekends: no notice is known."""
    def works(day):
        return odd.get(day.isoformat(), day.weekday() < 5)

    for n in range((LAST - FIRST).days + 1):
        day = end = FIRST + datetime.timedelta(n)
        behind = []
        while len(behind) < max(TERMS):
            end += datetime.timedelta(1)
            if works(end):
                behind.append(end + datetime.timedelta(1))
        yield day, " ".join([str(int(works(day))), *(behind[term - 1].isoformat() for term in TERMS)])


def main():
    missing, failed = fetch(), False
    witnesses = {} if missing else {"chinese-days": chinese_days()}
    if missing:
        print("without chinese-days:", missing)
    if HOLIDAY_CN.exists():
        witnesses["holiday-cn"] = holiday_cn()
    else:
        print("without holiday-cn: ../shared/corpus is not here")
    if not witnesses:
        print("skipped: no witness")
        return 77
    ours = subprocess.run([sys.argv[1], FIRST.isoformat(), LAST.isoformat()], capture_output=True, text=True, check=True).stdout.splitlines()
    for name, odd in witnesses.items():
        days = list(expected(odd))
        assert len(ours) == len(days), f"{len(ours)} days, not {len(days)}"
        wrong = [f"{day}: ours {mine}, theirs {other}" for mine, (day, other) in zip(ours, days) if mine != other]
        print(f"{name}: {len(days)} days and {len(days) * len(TERMS)} deadlines, {len(wrong)} days differ", *wrong[:20], sep="\n")
        failed = failed or bool(wrong)
    return 1 if failed else 0


sys.exit(main())
