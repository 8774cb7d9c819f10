"""search.py - what a search costs over a library of 100,000 articles (--items), and its index.

    queries   pages of 20 by search_find() in one thread, warm: parsed, found, verified, checked against the library, shown with marks (search.c)
    index     made from the log by one thread, and its size
    beside    a LIKE scan of the records, which is what finding a substring without an index is

The texts are windows of 1,000 characters of real laws and documents where ../shared/corpus has them, or made ones (corpus.py); their days are spread over 19 years. The goal is of the processor's
time, because a shared machine makes everything wait by chance; the clock's time stands beside it.
"""
import datetime
import json
import random
import subprocess
import tempfile
from pathlib import Path

import corpus
from lib import BUILD, ROOT
from measure import say

REAL = ROOT.parent / "shared" / "corpus" / "articles.ndjson"
WINDOW, QUERIES = 1000, 400
GOAL_MS = 20


def real_texts():
    with open(REAL, encoding="utf-8") as file:
        return [(a["title"], a["body"]) for a in map(json.loads, file) if len(a["body"]) > 200]


def texts(n):
    """(title, body), always the same."""
    chance = random.Random("search")
    if not REAL.exists():
        for i in range(n):
            made = corpus.article(i)
            yield made["title"], made["body"]
        return
    real = real_texts()
    for i in range(n):
        title, body = chance.choice(real)
        at = chance.randrange(max(1, len(body) - WINDOW))
        yield f"{title}（{i}）", body[at:at + WINDOW]


def write(path, n):
    chance, first = random.Random("days"), datetime.datetime(2007, 1, 1, tzinfo=datetime.timezone.utc).timestamp()
    with open(path, "w", encoding="utf-8") as out:
        for title, body in texts(n):
            day = int(first) + chance.randrange(19 * 365) * 86400
            clean = "".join(" " if c in "\t\r\n" else c for c in body if c >= " " or c in "\t\r\n")
            out.write(f"{title.strip()[:150]}\t{day}\t{clean}\n")


def report(_, args, goals):
    with tempfile.TemporaryDirectory(dir=ROOT / ".cache") as directory:
        file = Path(directory) / "texts"
        say(f"{args.items} texts")
        write(file, args.items)
        said = json.loads(subprocess.run([BUILD / "tests/bench/search", directory, file, str(QUERIES)], check=True, stdout=subprocess.PIPE).stdout)
    lines = [f"| what is searched for | shown | CPU p50 | p99 | worst | by the clock p50 | p99 | worst |", "|---|---:|---:|---:|---:|---:|---:|---:|"]
    worst = 0
    for row in said["kinds"]:
        cpu, wall = ([f"{x / 1000:.2f} ms" for x in row[key]] for key in ("cpu_us", "wall_us"))
        worst = max(worst, row["cpu_us"][1] / 1000)
        lines.append(f"| {row['kind']} | {row['found']:.1f} | {' | '.join(cpu)} | {' | '.join(wall)} |")
    mix = sorted(row["cpu_us"][0] for row in said["kinds"])[len(said["kinds"]) // 2]
    lines += ["", f"The index of {said['items']:,} articles ({said['text_bytes'] / 1e6:,.0f} MB of text) took {said['index_s']:.0f} s of one core ({said['index_s'] * 1e6 / said['items']:,.0f} µs an article) and "
              f"{said['index_bytes'] / 1e6:,.0f} MB, the texts themselves (zstd) included. A LIKE scan of the records takes {said['like_ms']:,.0f} ms of CPU, {said['like_ms'] * 1000 / mix:,.0f} times the middle row's p50."]
    goals.at_most("CPU of a search, the worst kind's p99, ms", worst, GOAL_MS)
    return lines
