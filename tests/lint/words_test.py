#!/usr/bin/env python3
"""What must not stand in the tree: loose ends, paths of somebody's machine, SQL and clocks outside their places."""
import re
import sys

from tree import ROOT, complain, files, lines

from tap import case, done

CODE = (".c", ".h", ".def", ".sql", ".py", ".sh", ".js", ".ts", ".css", ".html", ".build", ".yaml", ".yml", ".md", "")
# Written in two halves, or this file would find itself.
LOOSE = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
MACHINE = re.compile(r"(?<![\w.)/}-])/(ro" r"ot|wo" r"rk)/\w")
SQL = re.compile(r'"\s*(SELECT\s|INSERT\s+INTO|INSERT\s+OR|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX)|REPLACE\s+INTO)')
SQL_PLACES = ("server/store/", "clients/c/", "tests/")     # the driver's own bookkeeping; the phone has a store of its own
CLOCK = re.compile(r"\b(time\s*\(\s*(NULL|0|&)|clock_gettime\s*\(|gettimeofday\s*\()")
CLOCK_PLACES = ("server/base/clock.", "server/http/interpose.c", "clients/", "tests/")    # interpose.c defines one for libh2o


def search(pattern, names):
    for name in names:
        for number, text in lines(name):
            m = pattern.search(text)
            if m:
                yield f"{name}:{number}: {m[0].strip()}"


def code(*suffixes, but=()):
    return [n for n in files(*suffixes) if not n.startswith(but) and n != "LICENSE" and "/corpus/" not in n and "/vectors/" not in n]


with case("no loose ends in our code"):
    complain(list(search(LOOSE, code(*CODE))))

with case("no path of somebody's machine"):
    complain(list(search(MACHINE, code(*CODE))))

with case("SQL stands only in server/store/sql, and in the phone's store"):
    complain(list(search(SQL, code(".c", ".h", but=SQL_PLACES))))

with case("the server reads the time only in server/base/clock.c"):
    complain(list(search(CLOCK, code(".c", ".h", but=CLOCK_PLACES))))

with case("the README begins with the two commands, and ./dev knows them"):
    assert (ROOT / "README.md").exists(), "there is no README.md"
    text = (ROOT / "README.md").read_text()
    dev = (ROOT / "dev").read_text()
    for command in ("run", "test"):
        assert f"./dev {command}" in text[:2500], f"README.md does not show ./dev {command} at its top"
        assert f"cmd_{command}()" in dev, f"./dev has no {command}"

with case("links between our pages lead somewhere"):
    found = []
    for name in files(".md"):
        for number, text in lines(name):
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
                if not re.match(r"[a-z]+:", target) and not ((ROOT / name).parent / target).exists() and not target.startswith("/"):
                    found.append(f"{name}:{number}: {target}")
    complain(found)

sys.exit(done())
